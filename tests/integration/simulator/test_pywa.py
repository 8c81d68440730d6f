"""An independent client, pywa, as it is: it sends through the simulator and reads its webhooks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import web
from pywa.errors import ReEngagementMessage, TemplateNotExists
from pywa.types import Button, SectionRow
from pywa.types.message import MessageType
from pywa.types.sent_update import SentTemplateStatus
from pywa_async import WhatsApp, types, utils

from tests.support.polling import until

from .conftest import Simulator


class _ToSimulator(httpx.AsyncHTTPTransport):
    """Take the calls meant for graph.facebook.com to the simulator; everything else stays as pywa made it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self._host, port=self._port)
        return await super().handle_async_request(request)


class Business:
    """pywa with a webhook endpoint, and what its handlers have got."""

    def __init__(self, wa: WhatsApp, url: str) -> None:
        self.wa = wa
        self.url = url
        self.got: list[Any] = []
        for decorate in (
            wa.on_message,
            wa.on_message_status,
            wa.on_callback_button,
            wa.on_callback_selection,
            wa.on_template_status_update,
            wa.on_user_marketing_preferences,
        ):
            decorate(self._note)

    async def _note(self, _: WhatsApp, update: Any) -> None:
        self.got.append(update)

    def of(self, kind: type) -> list[Any]:
        return [update for update in self.got if isinstance(update, kind)]

    def statuses(self, wamid: str) -> list[str]:
        return [update.status.value for update in self.of(types.MessageStatus) if update.id == wamid]


@pytest.fixture
async def business(simulator: Simulator) -> AsyncIterator[Business]:
    transport = _ToSimulator(simulator.url)
    session = httpx.AsyncClient(transport=transport)
    wa = WhatsApp(
        phone_id=simulator.number,
        token=simulator.token,
        session=session,
        server=None,
        waba_id=simulator.waba,
        app_id=300000000000001,
        app_secret="sim-app-secret",
        verify_token="pywa-token",
    )

    async def hook(request: web.Request) -> web.Response:
        if request.method == "GET":
            query = request.query
            text, status = await wa.webhook_challenge_handler(vt=query.get(utils.HUB_VT), ch=query.get(utils.HUB_CH))
            return web.Response(text=str(text), status=status)
        raw = await request.read()
        refused = await wa.webhook_update_validator(raw, request.headers.get(utils.HUB_SIG))
        text, status = refused or await wa.webhook_update_handler(raw)
        return web.Response(text=text, status=status)

    app = web.Application()
    app.router.add_route("*", "/pywa", hook)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = Business(wa, f"http://127.0.0.1:{runner.addresses[0][1]}/pywa")
    # pywa reads one update of a webhook only, so each comes alone.
    await simulator.control(
        "PUT", "statuses", {"batch_size": 1, "delays": {"sent": 0, "delivered": 0.02, "read": 0.04}}
    )
    await wa.api.set_waba_alternate_callback_url(
        waba_id=simulator.waba, override_callback_uri=made.url, verify_token="pywa-token"
    )
    yield made
    await runner.cleanup()
    await session.aclose()
    await transport.aclose()


async def test_its_messages_are_accepted_and_it_reads_their_statuses(business: Business, simulator: Simulator) -> None:
    sent = await business.wa.send_message(to=simulator.customer, text="hello", tracker="tracked")
    await until(lambda: len(business.statuses(sent.id)) == 3)
    assert sorted(business.statuses(sent.id)) == ["delivered", "read", "sent"]
    status = business.of(types.MessageStatus)[0]
    assert status.tracker == "tracked"
    assert status.from_user.wa_id == simulator.customer
    assert status.pricing.category.value == "service"
    assert (await simulator.ledger())[-1]["wamid"] == sent.id


async def test_it_reads_a_customer_and_answers_by_the_business_scoped_id(
    business: Business, simulator: Simulator
) -> None:
    await simulator.control("POST", f"phones/{simulator.customer}/messages", {"text": "question", "name": "Ada"})
    message = (await until(lambda: business.of(types.Message)))[0]
    assert (message.text, message.from_user.name, message.from_user.wa_id) == ("question", "Ada", simulator.customer)
    await message.mark_as_read()
    answer = await message.reply("answer", quote=True)
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    shown = phone["messages"]
    assert shown[0]["status"] == "read"
    assert shown[1]["id"] == answer.id
    assert shown[1]["context"] == {"message_id": message.id}


async def test_its_buttons_and_lists_come_back_as_chosen(business: Business, simulator: Simulator) -> None:
    sent = await business.wa.send_message(
        to=simulator.customer, text="Yes?", buttons=[Button(title="Yes", callback_data="y")]
    )
    reply = {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}
    path = f"phones/{simulator.customer}/messages"
    await simulator.control("POST", path, {"interactive": reply, "context": {"id": sent.id}})
    chosen = (await until(lambda: business.of(types.CallbackButton)))[0]
    assert (chosen.data, chosen.title, chosen.reply_to_message.id) == ("y", "Yes", sent.id)
    section = types.Section(title="Days", rows=[SectionRow(title="Monday", callback_data="mon")])
    sent = await business.wa.send_message(
        to=simulator.customer, text="When?", buttons=types.SectionList(button_title="Days", sections=[section])
    )
    reply = {"type": "list_reply", "list_reply": {"id": "mon", "title": "Monday"}}
    await simulator.control("POST", path, {"interactive": reply, "context": {"id": sent.id}})
    assert (await until(lambda: business.of(types.CallbackSelection)))[0].data == "mon"


async def test_its_uploads_and_other_types_are_accepted(business: Business, simulator: Simulator) -> None:
    wa, to = business.wa, simulator.customer
    await wa.send_image(to=to, image=b"\x89PNG\r\n\x1a\n" + b"0" * 64, mime_type="image/png", caption="c")
    await wa.send_document(to=to, document="https://example.com/a.pdf", filename="a.pdf")
    sent = await wa.send_location(to=to, latitude=1.0, longitude=2.0, name="HQ", address="Main St")
    await wa.send_reaction(to=to, emoji="👍", message_id=sent.id)
    contact = types.Contact(name=types.Contact.Name(formatted_name="Ada L", first_name="Ada"))
    await wa.send_contact(to=to, contact=contact)
    entries = await simulator.ledger()
    assert [entry["type"] for entry in entries] == ["image", "document", "location", "reaction", "contacts"]


@pytest.mark.parametrize(
    "type_", ["image", "video", "audio", "document", "sticker", "location", "contacts", "reaction"]
)
async def test_it_reads_every_type_a_customer_can_send(business: Business, simulator: Simulator, type_: str) -> None:
    bodies: dict[str, Any] = {
        "location": {"latitude": 1.5, "longitude": 2.5, "name": "HQ"},
        "contacts": [{"name": {"formatted_name": "Ada L", "first_name": "Ada"}, "phones": [{"phone": "+1650"}]}],
        "reaction": {"message_id": "wamid.x", "emoji": "👍"},
    }
    data = {"type": type_} | ({type_: bodies[type_]} if type_ in bodies else {})
    status, _ = await simulator.control("POST", f"phones/{simulator.customer}/messages", data)
    assert status == 200
    message = (await until(lambda: business.of(types.Message)))[0]
    assert message.type == MessageType(type_)
    if message.has_media:
        assert await message.media.get_bytes()


async def test_it_understands_what_is_refused(business: Business, simulator: Simulator) -> None:
    with pytest.raises(TemplateNotExists):
        await business.wa.send_template(
            to=simulator.customer, name="unknown", language=types.templates.TemplateLanguage.ENGLISH_US, params=[]
        )
    await simulator.control("PUT", "rules", {"window_24h": True})
    with pytest.raises(ReEngagementMessage):
        await business.wa.send_message(to=simulator.customer, text="too late")


async def test_it_manages_templates_and_sends_them(business: Business, simulator: Simulator) -> None:
    body = types.templates.BodyText("Hello {{1}}, welcome.", "Ada")
    created = await business.wa.create_template(
        types.templates.Template(
            name="welcome",
            language=types.templates.TemplateLanguage.ENGLISH_US,
            category=types.templates.TemplateCategory.UTILITY,
            components=[body],
        )
    )
    told = (await until(lambda: business.of(types.TemplateStatusUpdate)))[0]
    assert (str(told.template_id), told.new_status.value) == (created.id, "APPROVED")
    sent = await business.wa.send_template(
        to=simulator.customer,
        name="welcome",
        language=types.templates.TemplateLanguage.ENGLISH_US,
        params=[body.params("Bea")],
    )
    assert sent.status == SentTemplateStatus.ACCEPTED
    _, phone = await simulator.control("GET", f"phones/{simulator.customer}/messages")
    assert phone["messages"][-1]["rendered"]["body"] == "Hello Bea, welcome."


async def test_it_reads_a_customer_who_stops_marketing(business: Business, simulator: Simulator) -> None:
    await simulator.control("POST", f"phones/{simulator.customer}/preferences", {"value": "stop"})
    preference = (await until(lambda: business.of(types.UserMarketingPreferences)))[0]
    assert not preference


async def test_many_sends_at_once_each_get_their_own_statuses(business: Business, simulator: Simulator) -> None:
    sends = [business.wa.send_message(to=f"49151123456{n:02}", text=str(n), tracker=f"t{n}") for n in range(20)]
    sent = await asyncio.gather(*sends)
    await until(lambda: all(len(business.statuses(message.id)) == 3 for message in sent))
    trackers = {update.id: update.tracker for update in business.of(types.MessageStatus)}
    assert [trackers[message.id] for message in sent] == [f"t{n}" for n in range(20)]
