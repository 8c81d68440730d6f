"""A WhatsApp Web session that is away, gives back, or is gone: what waits for it, in order, and for how long."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.support.polling import until

from .bridge_side import SENT, SILENT, BridgeSide, asked_of, failing, later
from .conftest import Build, World

PHONE = "+31621000001"


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
    await until(lambda: _waits_unasked(world, ids[0]), what="a message that waits for its session, and no attempt")
    await bridge.declare_again()
    await world.until_status(ids[-1], "sent")
    assert [send.message_id for send in bridge.asked] == ids
    assert {send.attempt for send in bridge.asked} == {1}


async def _waits_unasked(world: World, message_id: UUID) -> bool:
    # Each try is an attempt until it is given back: both are seen in one look, or it was in between.
    seen = await world.message(message_id)
    return (seen.get("status"), seen.get("waits_for"), seen.get("attempts")) == ("pending", "session_offline", [])


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


async def test_a_returned_message_is_not_overtaken(make_world: Build, make_bridge: Any) -> None:
    world = await make_world(chat_hold_back=30)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    ids = [await world.send(PHONE, f"number {n}", channel_id=bridge.session_id) for n in range(3)]
    other = await world.send("+31621000002", "to somebody else", channel_id=bridge.session_id)
    (first,) = await asked_of(bridge, ids[0])
    await asked_of(bridge, other)
    # A claim that comes after all of them were stored passes those by that wait for the first.
    last = await world.send("+31621000003", "to a third", channel_id=bridge.session_id)
    await asked_of(bridge, last)
    bridge.script = SENT
    await bridge.tell(first, "returned")
    await world.until_status(ids[-1], "sent")
    assert [send.message_id for send in bridge.asked if send.message_id not in (other, last)] == [ids[0], *ids]


async def test_the_wait_for_an_earlier_one_counts_from_when_the_session_came_back(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_hold_back=2)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    first = await world.send(PHONE, channel_id=bridge.session_id)
    (send,) = await asked_of(bridge, first)
    await bridge.state("offline")
    await world.rows(
        "update attempts set started_at = started_at - interval '1 minute' where message_id = $1 returning 1", first
    )
    second = await world.send(PHONE, channel_id=bridge.session_id)
    await world.until_status(second, "pending")
    bridge.script = SENT
    await bridge.state("ready")
    await bridge.tell(send, "returned")
    await world.until_status(second, "sent")
    assert [each.message_id for each in bridge.asked] == [first, first, second]


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
