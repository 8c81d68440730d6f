"""What goes through a session: every kind of message, both ways, as the Cloud API's facts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from blazz_contracts.content import CONTENT
from blazz_webjs_bridge import received_files

from tests.integration.webjs_bridge.chat_side import ChatSide
from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until

PHONE, CUSTOMER = "4915140000001", "4915177700003"
PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    vhost: str,
    make_database: Any,
    simulator_url: str,
    chat: ChatSide,
    chromium_path: Path,
    wa_js: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """One instance for all of these: a browser for each would take longer than what is tested."""
    made = World(vhost, await make_database("webjs-bridge"), simulator_url, chat, tmp_path_factory.mktemp("bridge"))
    await made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def session_id(world: World) -> UUID:
    """A session that is ready."""
    return await world.linked(PHONE)


async def sent(world: World, session_id: UUID, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Send this content; returns the ledger's entry."""
    command = world.chat.command(
        world.workspace_id, session_id, CUSTOMER, "unused", content=CONTENT.validate_python(content), **more
    )
    await world.chat.publisher.publish(command)
    await world.chat.until_told(command, "sent", "delivered", "read", "failed")
    assert "failed" not in world.chat.told(command), world.chat.statuses[f"{command.message_id}:1"]
    wamid = world.chat.statuses[f"{command.message_id}:1"][-1]["provider_message_id"]
    # Of a reaction WhatsApp Web chooses the id itself; sent twice, it is the same reaction.
    wanted = {"type": "reaction"} if content["type"] == "reaction" else {"wamid": wamid}
    (entry,) = [each for each in await world.ledger() if wanted.items() <= each.items()]
    return entry


async def test_every_kind_of_message_goes_out(world: World, session_id: UUID) -> None:
    world.chat.files["01a20f69-4aef-76f9-8cdb-2f2dd43e332f"] = (PICTURE, "image/png")
    text = await sent(world, session_id, {"type": "text", "body": "Look: https://example.com", "preview_url": True})
    assert text["type"] == "text"
    picture = {"type": "image", "media_id": "01a20f69-4aef-76f9-8cdb-2f2dd43e332f", "caption": "A dot"}
    image = await sent(world, session_id, picture)
    assert (image["type"], image["body"]["caption"]) == ("image", "A dot")
    place = await sent(world, session_id, {"type": "location", "latitude": 52.5, "longitude": 13.4, "name": "Berlin"})
    assert place["body"]["name"] == "Berlin"
    card = {"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+4915112345678"}]}
    assert (await sent(world, session_id, {"type": "contacts", "contacts": [card]}))["type"] == "contacts"
    reply = await sent(world, session_id, {"type": "text", "body": "As I said"}, reply_to=text["wamid"])
    assert reply["type"] == "text"
    reaction = {"type": "reaction", "message_id": str(uuid4()), "emoji": "👍"}
    assert (await sent(world, session_id, reaction, target=text["wamid"]))["type"] == "reaction"


async def test_a_file_that_cannot_be_had_fails_by_name_and_the_session_lives_on(world: World, session_id: UUID) -> None:
    async def large(_: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(_)
        for _n in range(60):
            await response.write(b"x" * 100_000)
        return response

    app = web.Application()
    app.router.add_get("/large.png", large)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    here = f"http://127.0.0.1:{runner.addresses[0][1]}"
    wanted = [
        ({"type": "image", "link": f"{here}/large.png"}, "file_too_large"),
        ({"type": "image", "link": f"{here}/nothing.png"}, "media_unreachable"),
        ({"type": "image", "link": "http://１.１.１.１/x.png"}, "media_address_refused"),
        ({"type": "image", "media_id": str(uuid4())}, "media_not_found"),
    ]
    for content, code in wanted:
        command = world.chat.command(
            world.workspace_id, session_id, CUSTOMER, "unused", content=CONTENT.validate_python(content)
        )
        await world.chat.publisher.publish(command)
        await world.chat.until_told(command, "failed")
        assert world.chat.statuses[f"{command.message_id}:1"][0]["errors"][0]["code"] == code
    await runner.cleanup()
    assert (await world.session(session_id))["state"] == "ready"


async def test_a_link_into_our_own_network_is_refused(idle_world: World) -> None:
    await idle_world.start(public_hosts_only=True)
    session_id = await idle_world.linked("4915140000002")
    content = CONTENT.validate_python({"type": "image", "link": "http://127.0.0.1:15672/secret.png"})
    command = idle_world.chat.command(idle_world.workspace_id, session_id, CUSTOMER, "unused", content=content)
    await idle_world.chat.publisher.publish(command)
    await idle_world.chat.until_told(command, "failed")
    item = idle_world.chat.statuses[f"{command.message_id}:1"][0]
    assert item["errors"][0]["code"] == "media_address_refused"


@pytest.mark.parametrize("kind", ["image", "audio", "document"])
async def test_files_that_customers_send_are_stored_before_they_are_told(
    world: World, session_id: UUID, kind: str
) -> None:
    await world.customer(CUSTOMER, type=kind, to=PHONE)
    (told,) = await until(lambda: [each for each in world.chat.messages if each["type"] == kind])
    assert told["content"]["media_id"] in world.chat.files
    assert len(world.chat.files[told["content"]["media_id"]][0]) > 0


async def test_a_picture_that_comes_while_the_bridge_stops_or_chat_restarts_has_its_file(
    idle_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, phone, chat = idle_world, "4915140000003", idle_world.chat
    monkeypatch.setattr(received_files, "_AGAIN", 0.01)

    def pictures() -> list[dict[str, Any]]:
        told = [each["content"] for each in chat.messages if each["type"] == "image"]
        # What the history brings again, chat drops by its id.
        return list(
            {each["caption"]: each for each in told if each.get("caption", "").startswith("Comes while")}.values()
        )

    async def comes(caption: str) -> None:
        before = chat.asked_to_keep
        await world.customer(CUSTOMER, to=phone, image={"caption": caption})
        await until(lambda: chat.asked_to_keep > before)

    service = await world.start()
    await world.linked(phone)
    chat.away = True
    asked = chat.asked_to_keep
    await comes("Comes while chat restarts")
    await until(lambda: chat.asked_to_keep > asked + 6)
    chat.away = False
    await until(lambda: len(pictures()) == 1)

    chat.may_keep.clear()
    await comes("Comes while it stops")
    stopping = asyncio.create_task(world.stop(service))
    asyncio.get_running_loop().call_later(0.5, chat.may_keep.set)
    await stopping
    await until(lambda: len(pictures()) == 2)

    service = await world.start()
    chat.away = True
    await comes("Comes while both are away")
    await world.stop(service)
    chat.away = False
    await world.start()
    await until(lambda: len(pictures()) == 3, 30)
    assert all(each.get("media_id") in chat.files for each in pictures()), pictures()


async def test_corrections_reactions_and_calls_are_told(world: World, session_id: UUID) -> None:
    written = await world.customer(CUSTOMER, text="At eight", to=PHONE)
    told = await world.chat.until_written("At eight")
    await world.customer(CUSTOMER, f"messages/{written['id']}/edit", text="At nine")
    (edit,) = await until(lambda: [each for each in world.chat.messages if each["type"] == "edit"])
    assert (edit["content"]["message_id"], edit["content"]["body"]) == (told["provider_message_id"], "At nine")
    await world.customer(CUSTOMER, f"messages/{written['id']}/revoke")
    (revoke,) = await until(lambda: [each for each in world.chat.messages if each["type"] == "revoke"])
    assert revoke["content"]["message_id"] == told["provider_message_id"]
    await world.customer(CUSTOMER, "calls", to=PHONE)
    (call,) = await until(lambda: [each for each in world.chat.messages if each["type"] == "call"])
    assert call["phone"] == CUSTOMER


async def test_what_is_written_on_the_phone_itself_is_told_as_an_echo_and_our_own_sends_are_not(
    world: World, session_id: UUID
) -> None:
    await sent(world, session_id, {"type": "text", "body": "From the platform"})
    answer = await world.simulator.post(
        f"/_sim/web/phones/{PHONE}/messages", json={"to": CUSTOMER, "text": "From the phone"}
    )
    assert answer.status_code < 300, answer.text
    told = await world.chat.until_written("From the phone")
    assert (told["echo"], told["phone"]) == (True, CUSTOMER)
    assert not [each for each in world.chat.messages if each["content"].get("body") == "From the platform"]


async def test_groups_are_left_out_unless_the_session_takes_them(world: World, session_id: UUID) -> None:
    made = await world.simulator.post(
        "/_sim/web/groups", json={"phone": PHONE, "subject": "Neighbours", "members": [CUSTOMER]}
    )
    assert made.status_code < 300, made.text
    group = made.json()["group"]["id"]
    await world.customer(CUSTOMER, text="To all", to=PHONE, group=group)
    await world.customer(CUSTOMER, text="To you", to=PHONE)
    await world.chat.until_written("To you")
    assert not [each for each in world.chat.messages if each["content"].get("body") == "To all"]
    options = {"options": {"groups": True}}
    await world.api("PATCH", f"/internal/sessions/{session_id}", json=options)

    async def taken() -> bool:
        await world.customer(CUSTOMER, text="To all again", to=PHONE, group=group)
        return any(each["content"].get("body") == "To all again" for each in world.chat.messages)

    await until(taken, 20, every=0.5)


async def test_a_page_that_tells_garbage_breaks_nothing(world: World, session_id: UUID) -> None:
    await world.fault(kind="garbage", phone=PHONE, count=5)
    await world.customer(CUSTOMER, text="Sense", to=PHONE)
    await world.chat.until_written("Sense")
    assert (await world.session(session_id))["state"] == "ready"


async def test_messages_of_one_conversation_leave_in_the_order_they_were_asked(world: World, session_id: UUID) -> None:
    number = f"4915178{uuid4().int % 100000:05d}"
    asked = [world.chat.command(world.workspace_id, session_id, number, f"line {n}") for n in range(20)]
    await world.chat.publisher.publish_many(asked)
    for each in asked:
        await world.chat.until_told(each, "sent", "delivered", "read")
    said = [each["body"]["body"] for each in await world.ledger() if each["to"] == number]
    assert said == [f"line {n}" for n in range(20)]
