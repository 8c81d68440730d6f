"""What a WhatsApp Web session is handed: once, in order, no more than it can hold, and as it is."""

from typing import Any
from uuid import UUID

import pytest
from blazz_contracts.content import Document, Interactive, Reaction, Template, Text
from blazz_contracts.events.provider_status import StatusItem
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient

from tests.support.polling import until

from .bridge_side import SENT, SILENT, BridgeSide, asked_of, failing, key_of, later, stored
from .conftest import Build
from .test_media import upload

PHONE = "+31621000001"


async def test_a_text_is_handed_over_once_and_its_states_are_told(bridge: BridgeSide) -> None:
    world = bridge.world
    message_id = await world.send(PHONE, "hi there", channel_id=bridge.session_id)
    message = await world.until_status(message_id, "sent")
    (send,) = await asked_of(bridge, message_id)
    assert (send.content, send.to.phone, send.attempt) == (Text(body="hi there"), "31621000001", 1)
    assert message["provider_message_id"] == key_of(send)
    # Ticks name nothing but WhatsApp's id.
    await bridge.tell(send, "delivered", callback_data=None)
    await bridge.tell(send, "read", callback_data=None)
    await world.until_status(message_id, "read")
    await until(lambda: len(world.told("status.updated", message_id)) == 2)
    assert len(world.told("message.sent", message_id)) == 1
    assert await world.sent_of(message_id) == []


async def test_a_status_told_again_or_late_changes_nothing(bridge: BridgeSide) -> None:
    world = bridge.world
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    await world.until_status(message_id, "sent")
    (send,) = await asked_of(bridge, message_id)
    for status in ("delivered", "sent", "returned", "failed", "delivered", "sent"):
        await bridge.tell(send, status, provider_message_id=key_of(send), errors=[{"code": "late", "passing": True}])
    after = await world.send(PHONE, channel_id=bridge.session_id)
    await world.until_status(after, "sent")
    assert (await world.message(message_id))["status"] == "delivered"
    assert len(world.told("message.sent", message_id)) == 1
    assert len(await asked_of(bridge, message_id)) == 1


async def test_a_refusal_that_passes_is_tried_again_as_the_next_attempt(bridge: BridgeSide) -> None:
    world = bridge.world
    bridge.script = lambda send: failing("media_unreachable", passing=True)(send) if send.attempt == 1 else SENT(send)
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    sent = await world.until_status(message_id, "sent")
    assert [send.attempt for send in await asked_of(bridge, message_id, 2)] == [1, 2]
    assert [each["outcome"] for each in sent["attempts"]] == ["failed", "sent"]


async def test_no_more_is_in_the_sessions_hands_than_its_window(make_world: Build, make_bridge: Any) -> None:
    world = await make_world(chat_session_window=5)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    ids = [await world.send(f"+3162300{n:04d}", channel_id=bridge.session_id) for n in range(12)]
    await world.until_status(ids[-1], "pending")
    await until(lambda: len(bridge.asked) == 5)
    counts = await world.rows("select status, count(*) n from messages group by status order by status")
    assert {row["status"]: row["n"] for row in counts} == {"pending": 7, "sending": 5}
    await bridge.tell(bridge.asked[0], "sent")
    await until(lambda: len(bridge.asked) == 6, what="one more, now that one has left")
    bridge.script = SENT
    for send in list(bridge.asked):
        await bridge.tell(send, "sent")
    for message_id in ids:
        await world.until_status(message_id, "sent")
    assert len(bridge.asked) == 12


async def test_messages_of_one_conversation_are_handed_over_in_their_order(bridge: BridgeSide) -> None:
    world = bridge.world
    ids = [await world.send(PHONE, f"number {n}", channel_id=bridge.session_id) for n in range(30)]
    await world.until_status(ids[-1], "sent")
    assert [send.content.body for send in bridge.asked] == [f"number {n}" for n in range(30)]


async def test_files_reactions_and_answers_go_as_they_are(bridge: BridgeSide) -> None:
    world = bridge.world
    media_id = await upload(world)
    document = await world.send(PHONE, content=Document(media_id=media_id), channel_id=bridge.session_id)
    await world.until_status(document, "sent")
    (send,) = await asked_of(bridge, document)
    assert send.content.media_id == UUID(str(media_id))
    written = await stored(world, await bridge.bring(phone=PHONE[1:]))
    answer = await world.send(PHONE, channel_id=bridge.session_id, reply_to=UUID(written["id"]))
    liked = await world.send(
        PHONE, content=Reaction(message_id=UUID(written["id"]), emoji="👍"), channel_id=bridge.session_id
    )
    await world.until_status(liked, "sent")
    assert (await asked_of(bridge, answer))[0].reply_to == written["provider_message_id"]
    assert (await asked_of(bridge, liked))[0].target == written["provider_message_id"]
    assert await world.rows("select 1 from media_uploads where media_id = $1", media_id) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (Template(name="welcome", language="en_US"), "template_unknown_here"),
        (Interactive(interactive={"type": "button", "body": {"text": "?"}, "action": {}}), "type_not_supported"),
    ],
)
async def test_what_whatsapp_web_does_not_send_is_refused(bridge: BridgeSide, content: Any, code: str) -> None:
    world = bridge.world
    body = {"channel_id": str(bridge.session_id), "to": {"phone": PHONE}, "content": content.model_dump(mode="json")}
    answer = await world.api("POST", "/messages/check", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    message_id = await world.send(PHONE, content=content, channel_id=bridge.session_id)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == code
    assert bridge.asked == []


async def test_the_24_hour_window_does_not_apply(bridge: BridgeSide) -> None:
    world = bridge.world
    written = await stored(world, await bridge.bring(phone="31621000009", sent_at=later(-3 * 86400)))
    body = {
        "channel_id": str(bridge.session_id),
        "to": {"contact_id": written["contact_id"]},
        "content": {"type": "text", "body": "hi"},
    }
    assert (await world.api("POST", "/messages/check", json=body)).status_code == 200
    message_id = await world.send("+31621000009", channel_id=bridge.session_id)
    await world.until_status(message_id, "sent")


async def test_who_stopped_marketing_gets_no_campaign(bridge: BridgeSide) -> None:
    world = bridge.world
    contact = (await world.api("POST", "/contacts", json={"phone": PHONE})).json()
    await world.rows("update contacts set marketing_opt_out = true where id = $1 returning 1", UUID(contact["id"]))
    campaign = Origin(kind=OriginKind.CAMPAIGN, id=UUID(contact["id"]))
    message_id = await world.send(PHONE, channel_id=bridge.session_id, origin=campaign, lane=Lane.CAMPAIGN)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "opted_out"


async def test_who_has_no_number_cannot_be_written_to(bridge: BridgeSide) -> None:
    world = bridge.world
    to = Recipient(user_id="NL.abc123")
    body = {
        "channel_id": str(bridge.session_id), "to": to.model_dump(mode="json"),
        "content": {"type": "text", "body": "hi"},
    }  # fmt: skip
    answer = await world.api("POST", "/messages/check", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_address")
    message_id = await world.send(PHONE, to=to, channel_id=bridge.session_id)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "no_address"


async def test_a_status_of_another_workspaces_session_changes_nothing(bridge: BridgeSide, make_channel: Build) -> None:
    world = bridge.world
    bridge.script = SILENT
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    (send,) = await asked_of(bridge, message_id)
    stranger = BridgeSide(await make_channel(), world.house.vhost, bridge.session_id)
    stranger.publisher = bridge.publisher
    await stranger.statuses(
        StatusItem(provider_message_id="true_x", status="sent", at=later(0), callback_data=f"{message_id}:1")
    )
    await bridge.tell(send, "sent")
    sent = await world.until_status(message_id, "sent")
    assert sent["provider_message_id"] == key_of(send)
