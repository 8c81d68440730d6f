"""A WhatsApp Web session that does not say what became of a message: it is asked again, and nothing is sent twice."""

import time
from typing import Any
from uuid import UUID

from tests.support.polling import until

from .bridge_side import SENT, SILENT, BridgeSide, asked_of, key_of
from .conftest import Build, World

PHONE = "+31621000001"


async def silent(world: World, make_bridge: Any) -> tuple[BridgeSide, UUID]:
    """A session that was handed a message and says nothing of it, and that message."""
    bridge = await make_bridge(world)
    bridge.script = SILENT
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    await asked_of(bridge, message_id)
    return bridge, message_id


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
    bridge, message_id = await silent(await make_world(chat_session_ask_again=1), make_bridge)
    sends = await asked_of(bridge, message_id, 3)
    assert {send.attempt for send in sends} == {1}
    assert len({send.expires_at for send in sends}) == 1, "asking again gives it no more time"
    await bridge.tell(sends[0], "sent")
    await bridge.world.until_status(message_id, "sent")
    asked = len(await asked_of(bridge, message_id))
    # The rounds in which another one is asked for again pass this one over.
    still_silent = await bridge.world.send("+31621000002", channel_id=bridge.session_id)
    await asked_of(bridge, still_silent, 3)
    assert len(await asked_of(bridge, message_id)) == asked


async def test_what_a_session_is_silent_about_holds_its_conversation_back_for_a_while(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_hold_back=2)
    bridge, first = await silent(world, make_bridge)
    bridge.script = SENT
    started = time.monotonic()
    second = await world.send(PHONE, channel_id=bridge.session_id)
    waiting = await world.until_status(second, "pending")
    assert waiting["waits_for"] == "earlier_message"
    await world.until_status(second, "sent")
    assert time.monotonic() - started > 1
    assert len(await asked_of(bridge, first)) == 1


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
    bridge, message_id = await silent(world, make_bridge)
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
