"""Status only moves forward; duplicates, late arrivals and strangers change nothing and tell nobody."""

from typing import Any
from uuid import UUID, uuid4

from blazz_contracts.events import ProviderStatus

from tests.support.polling import until

from .conftest import World, item


async def sent(world: World, phone: str) -> tuple[UUID, str]:
    message_id = await world.send(phone)
    message = await world.until_status(message_id, "sent")
    return message_id, message["provider_message_id"]


async def test_a_tick_never_goes_back(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000001")
    for status in ("read", "delivered", "sent", "read", "delivered"):
        await world.status(item(message_id, 1, status, wamid))
    await world.until_status(message_id, "read")
    later, other = await sent(world, "+31630000002")
    await world.status(item(later, 1, "delivered", other))
    await world.until_status(later, "delivered")
    assert [i["status"] for i in world.told("status.updated", message_id)] == ["read"]
    assert len(world.told("message.sent", message_id)) == 1


async def test_a_late_failure_of_the_first_attempt_does_not_kill_the_second(world: World) -> None:
    await world.faults(kind="error", codes=[131000], count=1, to="31630000003")
    message_id, wamid = await sent(world, "+31630000003")
    error = {"code": 131026, "title": "Message undeliverable"}
    await world.status(item(message_id, 1, "failed", "wamid.first", errors=[error]))
    await world.status(item(message_id, 2, "delivered", wamid))
    await world.until_status(message_id, "delivered")
    assert world.told("message.failed", message_id) == []


async def test_a_failure_told_by_webhook_fails_the_message(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000004")
    await world.status(item(message_id, 1, "failed", wamid, errors=[{"code": 131026, "title": "Undeliverable"}]))
    message = await world.until_status(message_id, "failed")
    assert message["failure"]["code"] == "undeliverable"
    await until(lambda: world.told("message.failed", message_id))


async def test_a_passing_failure_told_by_webhook_is_tried_again(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000005")
    await world.status(item(message_id, 1, "failed", wamid, errors=[{"code": 131016, "title": "Service unavailable"}]))
    await until(lambda: world.rows("select 1 from attempts where message_id = $1 and number = 2", message_id))
    message = await world.until_status(message_id, "sent")
    assert message["provider_message_id"] != wamid
    assert [a["provider_message_id"] is not None for a in message["attempts"]] == [True, True]


async def test_a_status_without_callback_data_is_found_by_whatsapps_id(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000006")
    await world.status(item(message_id, 1, "delivered", wamid, callback_data=None))
    await world.until_status(message_id, "delivered")


async def test_a_status_that_names_another_workspaces_message_changes_nothing(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000007")
    foreign = ProviderStatus(workspace_id=uuid4(), channel_id=uuid4(), items=[item(message_id, 1, "read", wamid)])
    await world.publisher.publish(foreign)
    await until(lambda: world.rows("select 1 from stray_statuses where workspace_id = $1", foreign.workspace_id))
    assert (await world.message(message_id))["status"] == "sent"


async def test_ten_thousand_duplicates_tell_one_step(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000008")
    many = [item(message_id, 1, "delivered", wamid)] * 500
    events = [ProviderStatus(workspace_id=world.workspace_id, channel_id=world.channel_id, items=many)] * 20
    await world.publisher.publish_many(events)
    await world.status(item(message_id, 1, "read", wamid))
    await world.until_status(message_id, "read")
    await until(lambda: len(world.told("status.updated", message_id)) >= 2)
    assert [i["status"] for i in world.told("status.updated", message_id)] == ["delivered", "read"]


async def test_a_late_sent_does_not_call_off_the_retry_of_what_failed(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000009")
    await world.faults(kind="error", codes=[131000], count=1, to="31630000009")
    await world.status(item(message_id, 1, "failed", wamid, errors=[{"code": 131016, "title": "Service unavailable"}]))
    await world.status(item(message_id, 1, "sent", wamid))
    message = await until_attempts(world, message_id, 3)
    assert [a["outcome"] for a in message["attempts"]] == ["failed", "failed", "sent"]
    assert len(world.told("message.sent", message_id)) == 1


async def until_attempts(world: World, message_id: UUID, number: int) -> dict[str, Any]:
    await until(lambda: world.rows("select 1 from attempts where message_id = $1 and number = $2", message_id, number))
    return await world.until_status(message_id, "sent")


async def test_a_number_that_a_status_says_is_blocked_is_stopped_and_its_message_waits(world: World) -> None:
    message_id, wamid = await sent(world, "+31630000010")
    await world.status(item(message_id, 1, "failed", wamid, errors=[{"code": 131042, "title": "Payment issue"}]))

    async def stopped() -> bool:
        return bool((await world.api("GET", f"/channels/{world.channel_id}")).json()["state"] == "stopped")

    await until(stopped)
    assert (await world.message(message_id))["waits_for"] == "channel_stopped"
    await world.api("PATCH", f"/channels/{world.channel_id}", json={"state": "active"})
    await until_attempts(world, message_id, 2)


async def test_what_a_disconnected_number_had_to_send_fails_and_is_told(world: World) -> None:
    await world.api("PATCH", f"/channels/{world.channel_id}", json={"state": "stopped"})
    await until(lambda: world.rows("select 1 from channels where id = $1 and state = 'stopped'", world.channel_id))
    message_id = await world.send("+31630000011")
    await until(lambda: world.rows("select 1 from messages where id = $1", message_id))
    assert (await world.api("DELETE", f"/channels/{world.channel_id}")).status_code == 204
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "channel_deleted"
    await until(lambda: world.told("message.failed", message_id))
