"""What WhatsApp refuses is tried again, or fails with a reason, or stops the number; and nothing is sent twice."""

from datetime import UTC, datetime, timedelta

from tests.support.polling import until

from .conftest import Build, World, item


async def test_a_passing_refusal_is_tried_again_as_a_new_attempt(world: World) -> None:
    await world.faults(kind="error", codes=[131000], count=2, to="31620000001")
    message_id = await world.send("+31620000001")
    message = await world.until_status(message_id, "sent")
    assert [a["outcome"] for a in message["attempts"]] == ["failed", "failed", "sent"]
    assert len(await world.sent_of(message_id)) == 1


async def test_a_refusal_that_does_not_pass_fails_after_four_tries(world: World) -> None:
    await world.faults(kind="error", codes=[131000], to="31620000002")
    message_id = await world.send("+31620000002")
    message = await world.until_status(message_id, "failed")
    assert len(message["attempts"]) == 4
    assert message["failure"]["provider_code"] == 131000
    assert await world.sent_of(message_id) == []
    await until(lambda: len(world.told("message.failed", message_id)) == 1)


async def test_a_refused_recipient_fails_at_once_with_a_sentence_for_people(world: World) -> None:
    await world.faults(kind="error", codes=[131026], to="31620000003")
    message_id = await world.send("+31620000003")
    message = await world.until_status(message_id, "failed")
    assert message["failure"]["code"] == "undeliverable"
    assert len(message["attempts"]) == 1


async def test_an_expired_token_stops_the_number_and_starting_it_again_sends_what_waits(world: World) -> None:
    await world.faults(kind="error", codes=[190], count=1, phone_number_id=world.phone_number_id)
    message_id = await world.send("+31620000004")

    async def stopped() -> bool:
        return (await world.api("GET", f"/channels/{world.channel_id}")).json()["state"] == "stopped"

    await until(stopped)
    assert (await world.until_status(message_id, "pending"))["waits_for"] == "channel_stopped"
    answer = await world.api("PATCH", f"/channels/{world.channel_id}", json={"state": "active"})
    assert answer.status_code == 200
    await world.until_status(message_id, "sent")
    assert len(await world.sent_of(message_id)) == 1


async def test_a_retry_holds_back_later_messages_of_its_conversation_for_a_while_only(make_world: Build) -> None:
    world = await make_world(chat_retry_waits=(3.0, 3.0, 3.0), chat_hold_back=1.0)
    await world.faults(kind="error", codes=[131000], count=1, to="31620000005")
    first = await world.send("+31620000005", "first")
    await until(lambda: world.rows("select 1 from messages where id = $1 and waits_for = 'retry'", first))
    second = await world.send("+31620000005", "second")
    await world.until_status(second, "sent", within=10)
    assert (await world.message(first))["status"] == "pending"
    waited = await world.rows(
        "select started_at - $2 as waited from attempts where message_id = $1", second, datetime.now(UTC)
    )
    assert waited
    await world.until_status(first, "sent", within=10)


async def test_an_answer_that_never_came_is_settled_by_the_status_that_echoes_it(world: World) -> None:
    await world.faults(kind="drop_after_accept", count=1, to="31620000006")
    message_id = await world.send("+31620000006")
    (entry,) = await until(lambda: world.sent_of(message_id))
    await world.until_status(message_id, "sending")
    await world.status(item(message_id, 1, "delivered", entry["wamid"]))
    message = await world.until_status(message_id, "delivered")
    assert message["provider_message_id"] == entry["wamid"]
    # Told as sent first, then as delivered: nobody sees a tick without the one before.
    await until(lambda: world.told("status.updated", message_id))
    assert len(world.told("message.sent", message_id)) == 1


async def test_an_unsettled_send_waits_as_long_as_no_webhooks_flow(world: World) -> None:
    await world.faults(kind="drop_before_accept", count=1, to="31620000007")
    message_id = await world.send("+31620000007")
    await world.until_status(message_id, "sending")
    before = datetime.now(UTC)
    await until(lambda: datetime.now(UTC) - before > timedelta(seconds=2))
    assert (await world.message(message_id))["status"] == "sending"
    # Webhooks flow: two beats with no gap between them, further apart than the settle time.
    await world.alive(datetime.now(UTC))
    await world.alive(datetime.now(UTC) + timedelta(seconds=5))
    await world.until_status(message_id, "sent")
    assert len(await world.sent_of(message_id)) == 1


async def test_a_workspace_may_choose_unconfirmed_in_place_of_sending_again(world: World) -> None:
    await world.rows(
        "insert into workspaces (workspace_id, revision, unsettled) values ($1, 1, 'unconfirmed') returning 1",
        world.workspace_id,
    )
    await world.faults(kind="drop_before_accept", count=1, to="31620000008")
    message_id = await world.send("+31620000008")
    await world.until_status(message_id, "sending")
    await world.alive(datetime.now(UTC))
    await world.alive(datetime.now(UTC) + timedelta(seconds=5))
    await world.until_status(message_id, "unconfirmed")
    assert await world.sent_of(message_id) == []
    # A late status still wins.
    await world.status(item(message_id, 1, "delivered", "wamid.late"))
    await world.until_status(message_id, "delivered")


async def test_an_unreachable_provider_burns_no_try(make_world: Build) -> None:
    world = await make_world(chat_graph_url="http://127.0.0.1:9")
    message_id = await world.send("+31620000009")
    await until(lambda: world.rows("select 1 from messages where id = $1", message_id))
    # Reached for several times by now, and none of it counts.
    before = datetime.now(UTC)
    await until(lambda: datetime.now(UTC) - before > timedelta(seconds=1))
    message = await world.until_status(message_id, "pending")
    assert message["attempts"] == []
    assert (await world.rows("select tries from messages where id = $1", message_id))[0]["tries"] == 0
