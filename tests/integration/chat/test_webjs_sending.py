"""What a WhatsApp Web session is handed: once, in order, no more than it can hold, and only while it is ready."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from blazz_contracts.content import Document, Interactive, Reaction, Template, Text
from blazz_contracts.events.provider_status import StatusItem
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient

from tests.support.polling import until

from .bridge_side import SENT, SILENT, BridgeSide, failing, key_of, later, stored
from .conftest import Build, World
from .test_media import upload

PHONE = "+31621000001"


async def asked_of(bridge: BridgeSide, message_id: UUID, times: int = 1) -> list[Any]:
    def asked() -> list[Any]:
        return [send for send in bridge.asked if send.message_id == message_id]

    await until(lambda: len(asked()) >= times, what=f"{times} handed over")
    return asked()


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


async def test_while_the_session_is_offline_messages_wait_with_the_reason(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, ready=False)
    await bridge.state("offline")
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    waiting = await world.until_status(message_id, "pending")
    assert waiting["waits_for"] == "session_offline"
    listed = await world.api("GET", f"/contacts/{waiting['contact_id']}/messages")
    assert listed.json()["items"][0]["waits_for"] == "session_offline"
    assert await bridge.waiting() == 0
    await bridge.state("ready")
    await world.until_status(message_id, "sent")


async def test_every_instance_sends_once_the_session_is_ready(make_world: Build, make_bridge: Any) -> None:
    world = await make_world()
    await world.house.instance()
    bridge = await make_bridge(world, ready=False)
    ids = [await world.send(f"+3162200{n:04d}", channel_id=bridge.session_id) for n in range(40)]
    await world.until_status(ids[-1], "pending")
    await bridge.state("ready")
    for message_id in ids:
        await world.until_status(message_id, "sent")
    assert len(bridge.asked) == len(bridge.sent) == 40


async def test_what_the_session_gave_back_waits_and_is_sent_as_the_same_attempt(bridge: BridgeSide) -> None:
    world = bridge.world
    bridge.script = lambda _: [("returned", {})]
    await bridge.state("ready")
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    await asked_of(bridge, message_id)
    await bridge.state("offline")
    bridge.script = SENT
    waiting = await world.until_status(message_id, "pending")
    assert (waiting["waits_for"], waiting["attempts"]) == ("session_offline", [])
    await bridge.state("ready")
    sent = await world.until_status(message_id, "sent")
    assert {send.attempt for send in await asked_of(bridge, message_id, 2)} == {1}
    assert [each["number"] for each in sent["attempts"]] == [1]


async def test_what_the_session_gave_back_keeps_the_order_of_its_conversation(bridge: BridgeSide) -> None:
    world = bridge.world
    bridge.script = lambda _: [("returned", {})]
    ids = [await world.send(PHONE, f"number {n}", channel_id=bridge.session_id) for n in range(5)]
    await until(lambda: bridge.asked)
    await bridge.state("offline")
    await until(lambda: world.rows("select 1 from messages where channel_id = $1 and status = 'pending' "
                                   "having count(*) = 5", bridge.session_id))  # fmt: skip
    bridge.script, before = SENT, len(bridge.asked)
    await bridge.state("ready")
    await world.until_status(ids[-1], "sent")
    assert [send.content.body for send in bridge.asked[before:]] == [f"number {n}" for n in range(5)]


async def test_a_message_that_waited_too_long_fails_as_expired(bridge: BridgeSide) -> None:
    bridge.script = failing("expired")
    message_id = await bridge.world.send(PHONE, channel_id=bridge.session_id)
    failed = await bridge.world.until_status(message_id, "failed")
    assert failed["failure"]["code"] == "expired"
    assert failed["provider_message_id"] is None
    assert len(await asked_of(bridge, message_id)) == 1


async def test_a_refusal_that_passes_is_tried_again_as_the_next_attempt(bridge: BridgeSide) -> None:
    world = bridge.world
    bridge.script = lambda send: failing("media_unreachable", passing=True)(send) if send.attempt == 1 else SENT(send)
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    sent = await world.until_status(message_id, "sent")
    assert [send.attempt for send in await asked_of(bridge, message_id, 2)] == [1, 2]
    assert [each["outcome"] for each in sent["attempts"]] == ["failed", "sent"]


async def test_a_session_that_stays_gone_fails_what_it_was_to_send(make_world: Build, make_bridge: Any) -> None:
    bridge = await make_bridge(await make_world(chat_session_missing=1))
    await bridge.drop_queue()
    message_id = await bridge.world.send(PHONE, channel_id=bridge.session_id)
    failed = await bridge.world.until_status(message_id, "failed")
    assert failed["failure"]["code"] == "session_gone"


async def test_a_queue_that_is_missing_for_a_moment_fails_nothing(make_world: Build, make_bridge: Any) -> None:
    world = await make_world(chat_session_missing=8)
    bridge = await make_bridge(world)
    await bridge.drop_queue()
    ids = [await world.send(PHONE, f"number {n}", channel_id=bridge.session_id) for n in range(3)]
    waiting = await world.until_status(ids[0], "pending")
    await until(lambda: _waits_for(world, ids[0], "session_offline"))
    assert waiting["attempts"] == []
    await bridge.declare_again()
    await world.until_status(ids[-1], "sent")
    assert [send.message_id for send in bridge.asked] == ids
    assert {send.attempt for send in bridge.asked} == {1}


async def _waits_for(world: World, message_id: UUID, what: str) -> bool:
    return (await world.message(message_id)).get("waits_for") == what


async def test_what_a_deleted_queue_took_with_it_is_asked_for_again(make_world: Build, make_bridge: Any) -> None:
    world = await make_world(chat_session_ask_again=2)
    bridge = await make_bridge(world, listening=False)
    ids = [await world.send(f"+3162400{n:04d}", channel_id=bridge.session_id) for n in range(3)]
    await until(lambda: world.rows("select 1 from messages where status = 'sending' and lease_until is null "
                                   "having count(*) = 3"))  # fmt: skip
    await bridge.drop_queue()
    await bridge.declare_again()
    for message_id in ids:
        sent = await world.until_status(message_id, "sent")
        assert [(each["number"], each["outcome"]) for each in sent["attempts"]] == [(1, "sent")]
        assert len(world.told("message.sent", message_id)) == 1
    assert {(send.message_id, send.attempt) for send in bridge.asked} == {(message_id, 1) for message_id in ids}


async def test_what_a_session_is_silent_about_is_asked_for_again_while_it_is_ready(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_session_ask_again=1)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    sends = await asked_of(bridge, message_id, 3)
    assert {send.attempt for send in sends} == {1}
    assert len({send.expires_at for send in sends}) == 1, "asking again gives it no more time"
    await bridge.tell(sends[0], "sent")
    await world.until_status(message_id, "sent")
    asked = len(bridge.asked)
    await asyncio.sleep(3)
    assert len(bridge.asked) == asked


async def test_a_command_says_until_when_it_may_leave(make_world: Build, make_bridge: Any) -> None:
    world = await make_world(chat_session_expire=1000)
    bridge = await make_bridge(world)
    asked_at = later(0)
    fresh = await world.send(PHONE, channel_id=bridge.session_id)
    (send,) = await asked_of(bridge, fresh)
    assert asked_at <= send.expires_at - timedelta(seconds=1000) <= later(0)
    # The end of a long campaign was requested days ago, and has not waited for the session.
    old = await world.send(PHONE, channel_id=bridge.session_id, requested_at=later(-3 * 86400))
    (send,) = await asked_of(bridge, old)
    assert send.expires_at > later(900)


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


async def test_a_returned_message_is_not_overtaken(make_world: Build, make_bridge: Any) -> None:
    world = await make_world(chat_hold_back=30)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    ids = [await world.send(PHONE, f"number {n}", channel_id=bridge.session_id) for n in range(3)]
    other = await world.send("+31621000002", "to somebody else", channel_id=bridge.session_id)
    (first,) = await asked_of(bridge, ids[0])
    await asked_of(bridge, other)
    await asyncio.sleep(1)
    bridge.script = SENT
    await bridge.tell(first, "returned")
    await world.until_status(ids[-1], "sent")
    assert [send.message_id for send in bridge.asked if send.message_id != other] == [ids[0], *ids]


async def test_what_a_session_is_silent_about_holds_its_conversation_back_for_a_while(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_hold_back=2)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    first = await world.send(PHONE, channel_id=bridge.session_id)
    await asked_of(bridge, first)
    bridge.script = SENT
    started = time.monotonic()
    second = await world.send(PHONE, channel_id=bridge.session_id)
    waiting = await world.until_status(second, "pending")
    assert waiting["waits_for"] == "earlier_message"
    await world.until_status(second, "sent")
    assert time.monotonic() - started > 1
    assert len(await asked_of(bridge, first)) == 1


async def test_the_wait_for_an_earlier_one_counts_from_when_the_session_came_back(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_hold_back=2)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    first = await world.send(PHONE, channel_id=bridge.session_id)
    (send,) = await asked_of(bridge, first)
    await bridge.state("offline")
    await asyncio.sleep(2.5)
    second = await world.send(PHONE, channel_id=bridge.session_id)
    await world.until_status(second, "pending")
    bridge.script = SENT
    await bridge.state("ready")
    await bridge.tell(send, "returned")
    await world.until_status(second, "sent")
    assert [each.message_id for each in bridge.asked] == [first, first, second]


async def test_no_webhooks_need_flow_for_a_claim_whose_sender_died(bridge: BridgeSide) -> None:
    """What a kill between the broker's confirm and the commit leaves: it lies in the queue, and its claim is open."""
    world = bridge.world
    bridge.script = SILENT
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    await asked_of(bridge, message_id)
    await until(lambda: world.rows("select 1 from messages where id = $1 and lease_until is null", message_id))
    bridge.script = SENT
    await world.rows(
        "update messages set lease_until = now() - interval '1 second' where id = $1 returning 1", message_id
    )
    sent = await world.until_status(message_id, "sent")
    assert [send.attempt for send in await asked_of(bridge, message_id, 2)] == [1, 1]
    assert len(bridge.sent) == 1
    assert [each["outcome"] for each in sent["attempts"]] == ["sent"]


async def test_news_of_an_attempt_that_was_given_back_is_taken(world: World, make_bridge: Any) -> None:
    """The claim is given back, the session goes offline before it is made again: and yet the message had left."""
    bridge = await make_bridge(world)
    bridge.script = SILENT
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    (send,) = await asked_of(bridge, message_id)
    await until(lambda: world.rows("select 1 from messages where id = $1 and lease_until is null", message_id))
    await bridge.state("offline")
    await world.rows(
        "update messages set lease_until = now() - interval '1 second' where id = $1 returning 1", message_id
    )
    await world.until_status(message_id, "pending")
    await bridge.tell(send, "sent")
    sent = await world.until_status(message_id, "sent")
    assert [(a["number"], a["outcome"], a["provider_message_id"]) for a in sent["attempts"]] == [
        (1, "sent", key_of(send))
    ]
    await bridge.tell(send, "delivered", callback_data=None)
    await world.until_status(message_id, "delivered")
    assert world.told("message.sent", message_id)[0]["attempt"] == 1


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


async def test_what_waits_too_long_for_a_session_that_is_away_fails_as_expired(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_session_expire=1)
    bridge = await make_bridge(world, ready=False)
    await bridge.state("offline")
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    shown = await world.until_status(message_id, "failed")
    assert shown["failure"]["code"] == "expired"
    assert await bridge.waiting() == 0
