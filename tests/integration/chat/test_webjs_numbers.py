"""What waits for one number never leaves from another that is linked to the same session."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from blazz_chassis.seal import Sealer
from blazz_chat.channels import Channels
from blazz_chat.intake import Intake
from blazz_chat.templates import Templates
from blazz_contracts.message import Lane

from tests.support.polling import until

from .bridge_side import SILENT, BridgeSide, asked_of, later
from .conftest import Build, World

PHONE = "+31651000001"
FIRST, SECOND = "4915100000001", "4366000000002"


async def accepted(bridge: BridgeSide, phone: str = PHONE, **more: Any) -> UUID:
    """A message that waits at chat."""
    message_id = await bridge.world.send(phone, channel_id=bridge.session_id, **more)
    await bridge.world.until_status(message_id, "pending")
    return message_id


async def linked(world: World, make_bridge: Any, phone: str | None = FIRST) -> BridgeSide:
    """A session that was linked and is offline."""
    bridge: BridgeSide = await make_bridge(world, ready=False)
    if phone is not None:
        await bridge.state("ready", phone=phone)
        await bridge.state("auth_failed", phone=phone)
    return bridge


async def test_what_waits_for_a_number_fails_when_another_is_linked(world: World, make_bridge: Any) -> None:
    bridge = await linked(world, make_bridge)
    waiting = [await accepted(bridge), await accepted(bridge, lane=Lane.CAMPAIGN)]
    await bridge.state("qr", phone=FIRST)
    await bridge.state("ready", phone=SECOND)
    for message_id in waiting:
        failure = (await world.until_status(message_id, "failed"))["failure"]
        assert failure["code"] == "number_changed"
        assert f"+{FIRST}" in failure["title"]
        assert f"+{SECOND}" in failure["title"]
        assert len(world.told("message.failed", message_id)) == 1
    anew = await world.send(PHONE, channel_id=bridge.session_id)
    await world.until_status(anew, "sent")
    assert [send.message_id for send in bridge.asked] == [anew]
    assert bridge.asked[0].sender_phone == SECOND


async def test_what_waits_for_a_number_leaves_when_it_is_linked_again(world: World, make_bridge: Any) -> None:
    bridge = await linked(world, make_bridge)
    message_id = await accepted(bridge)
    await bridge.state("qr", phone=FIRST)
    await bridge.state("ready", phone=FIRST)
    await world.until_status(message_id, "sent")
    assert [send.sender_phone for send in bridge.asked] == [FIRST]


async def test_what_was_accepted_before_any_phone_was_linked_leaves_from_the_first_alone(
    world: World, make_bridge: Any
) -> None:
    bridge = await linked(world, make_bridge, None)
    message_id = await accepted(bridge)
    await bridge.state("ready", phone=FIRST)
    await world.until_status(message_id, "sent")
    other = await linked(world, make_bridge, None)
    message_id = await accepted(other)
    await other.state("offline", phone=FIRST)
    await other.state("ready", phone=SECOND)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "number_changed"
    assert other.asked == []


async def test_what_a_session_gives_back_after_another_phone_was_linked_fails(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, ready=False)
    bridge.script = SILENT
    await bridge.state("ready", phone=FIRST)
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    await until(lambda: bridge.asked)
    await bridge.state("ready", phone=SECOND)
    await bridge.tell(bridge.asked[0], "returned")
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "number_changed"
    assert len(bridge.asked) == 1


async def test_what_may_have_left_before_another_phone_was_linked_is_left_to_the_bridge(
    world: World, make_bridge: Any
) -> None:
    """Its sender died after it was handed over, so that chat cannot say that it was only waiting."""
    bridge = await make_bridge(world, ready=False)
    bridge.script = SILENT
    await bridge.state("ready", phone=FIRST)
    handed = await world.send(PHONE, channel_id=bridge.session_id)
    await until(lambda: bridge.asked)
    await until(lambda: world.rows("select 1 from messages where id = $1 and lease_until is null", handed))
    await bridge.state("offline", phone=FIRST)
    only_waiting = await accepted(bridge, "+31651000002")
    await world.rows("update messages set lease_until = now() - interval '1 s' where id = $1 returning 1", handed)
    await world.until_status(handed, "pending")
    await bridge.state("offline", phone=SECOND)
    assert (await world.until_status(only_waiting, "failed"))["failure"]["code"] == "number_changed"
    await until(lambda: world.rows("select 1 from channels where id = $1 and not renumbering", bridge.session_id))
    assert (await world.message(handed))["status"] == "pending"
    await bridge.state("ready", phone=SECOND)
    first, again = await asked_of(bridge, handed, 2)
    assert (again.attempt, again.sender_phone) == (first.attempt, FIRST)
    await bridge.tell(again, "sent")
    await world.until_status(handed, "sent")
    assert world.told("message.failed", handed) == []


async def test_what_a_session_is_silent_about_is_asked_of_it_though_another_phone_was_linked(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_session_ask_again=1)
    bridge = await make_bridge(world, ready=False)
    bridge.script = SILENT
    await bridge.state("ready", phone=FIRST)
    message_id = await world.send(PHONE, channel_id=bridge.session_id)
    await until(lambda: bridge.asked)
    await bridge.state("ready", phone=SECOND)
    await bridge.tell((await asked_of(bridge, message_id, 2))[1], "sent")
    await world.until_status(message_id, "sent")
    assert {send.sender_phone for send in bridge.asked} == {FIRST}


async def test_what_was_asked_for_before_another_phone_was_linked_fails_though_it_is_stored_later(
    world: World, make_bridge: Any
) -> None:
    bridge = await linked(world, make_bridge)
    await bridge.state("ready", phone=SECOND, since=later(0).isoformat())
    early = await world.send(PHONE, channel_id=bridge.session_id, requested_at=later(-60))
    late = await world.send("+31651000002", channel_id=bridge.session_id, requested_at=datetime.now(UTC))
    assert (await world.until_status(early, "failed"))["failure"]["code"] == "number_changed"
    await world.until_status(late, "sent")


async def test_an_instance_that_knows_the_former_number_yet_stores_for_the_linked_one(
    world: World, make_bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = await make_bridge(world, ready=False)
    await bridge.state("ready", phone=FIRST)
    chat, channels = world.chat, Channels(Sealer(world.house.settings.seal_key))
    another = Intake(chat.database, chat.outbox, channels, Templates())
    await channels.one(chat.database, bridge.session_id)
    monkeypatch.setattr("blazz_chat.channels.FRESH_SECONDS", 600.0)
    await bridge.state("ready", phone=SECOND, since=later(-1).isoformat())
    request = world.request(PHONE, channel_id=bridge.session_id)
    await another.store([request])
    await world.until_status(request.message_id, "sent")
    assert [send.sender_phone for send in bridge.asked] == [SECOND]


async def test_what_was_asked_for_while_a_number_was_linked_leaves_once_it_is_linked_again(
    world: World, make_bridge: Any
) -> None:
    bridge = await make_bridge(world, ready=False)
    for phone, seconds in ((FIRST, -60), (SECOND, -40), (FIRST, -20)):
        await bridge.state("ready", phone=phone, since=later(seconds).isoformat())
    of_first = await world.send(PHONE, channel_id=bridge.session_id, requested_at=later(-50))
    of_second = await world.send("+31651000002", channel_id=bridge.session_id, requested_at=later(-30))
    await world.until_status(of_first, "sent")
    assert (await world.until_status(of_second, "failed"))["failure"]["code"] == "number_changed"
    assert [send.sender_phone for send in bridge.asked] == [FIRST]


async def test_a_number_on_the_cloud_api_has_no_such_change(world: World) -> None:
    message_id = await world.send(PHONE)
    await world.until_status(message_id, "sent")
    (row,) = await world.rows("select for_number from messages where id = $1", message_id)
    assert row["for_number"] is None
