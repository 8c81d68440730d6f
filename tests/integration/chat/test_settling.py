"""A send nobody answered for is settled by what WhatsApp tells of it, or by its silence; and nothing is sent twice."""

from datetime import UTC, datetime, timedelta

from tests.support.polling import until

from .conftest import Build, World, item


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
    await world.proven()
    await world.faults(kind="drop_before_accept", count=1, to="31620000007")
    message_id = await world.send("+31620000007")
    await world.until_status(message_id, "sending")
    before = datetime.now(UTC)
    await until(lambda: datetime.now(UTC) - before > timedelta(seconds=2))
    assert (await world.message(message_id))["status"] == "sending"
    await world.while_webhooks_flow(lambda: world.is_in(message_id, "sent"))
    assert len(await world.sent_of(message_id)) == 1


async def test_a_workspace_may_choose_unconfirmed_in_place_of_sending_again(world: World) -> None:
    await world.rows(
        "insert into workspaces (workspace_id, revision, unsettled) values ($1, 1, 'unconfirmed') returning 1",
        world.workspace_id,
    )
    await world.proven()
    await world.faults(kind="drop_before_accept", count=1, to="31620000008")
    message_id = await world.send("+31620000008")
    await world.until_status(message_id, "sending")
    await world.while_webhooks_flow(lambda: world.is_in(message_id, "unconfirmed"))
    assert await world.sent_of(message_id) == []
    # A late status still wins.
    await world.status(item(message_id, 1, "delivered", "wamid.late"))
    await world.until_status(message_id, "delivered")


async def test_a_webhook_turned_away_by_one_gateway_holds_settling_back_though_another_flows(world: World) -> None:
    await world.proven()
    await world.faults(kind="drop_after_accept", count=1, to="31621000001")
    message_id = await world.send("+31621000001")
    (entry,) = await until(lambda: world.sent_of(message_id))
    await world.until_status(message_id, "sending")
    await world.alive(instance="gateway-b")  # and then it turned the status away: it is silent
    await world.while_webhooks_flow(lambda: world.flowed(message_id, 3.0, "gateway-a"), "gateway-a")
    assert await world.is_in(message_id, "sending")
    await world.status(item(message_id, 1, "delivered", entry["wamid"]))
    await world.until_status(message_id, "delivered")
    assert len(await world.sent_of(message_id)) == 1


async def retried(world: World) -> float:
    """How many deliveries of the status queue were put into a retry queue, in this process."""
    for line in (await world.http.get("/metrics")).text.splitlines():
        if line.startswith('blazz_broker_retried_total{queue="chat.statuses"}'):
            return float(line.split()[-1])
    return 0.0


async def test_a_status_in_the_retry_queue_holds_settling_back(make_world: Build) -> None:
    # The first step of the ladder takes 3 s, six times the settle time.
    # A statement that is cut off is the message's affair; a lock that is not had in time would only be waited for.
    impatient = {"database_statement_timeout": 0.5, "database_lock_timeout": 30}
    world = await make_world(retry_scale=0.1, chat_settle=0.5, **impatient)
    await world.proven()
    await world.faults(kind="drop_after_accept", count=1, to="31621000003")
    message_id = await world.send("+31621000003")
    (entry,) = await until(lambda: world.sent_of(message_id))
    await world.until_status(message_id, "sending")
    before = await retried(world)

    async def given_up() -> bool:
        return await retried(world) > before

    async with world.chat.database.worker() as connection:
        await connection.execute("select 1 from messages where id = $1 for update", message_id)
        await world.status(item(message_id, 1, "delivered", entry["wamid"]))
        await world.while_webhooks_flow(given_up, what="the end of patience with a locked row")
    await world.while_webhooks_flow(lambda: world.is_in(message_id, "delivered"))
    assert len(await world.sent_of(message_id)) == 1


async def test_a_gateway_that_is_gone_is_not_waited_for_for_ever(make_world: Build) -> None:
    world = await make_world(chat_gateway_gone=1.0)
    await world.proven()
    await world.faults(kind="drop_before_accept", count=1, to="31621000002")
    message_id = await world.send("+31621000002")
    await world.until_status(message_id, "sending")
    await world.alive(instance="gateway-b")
    await world.while_webhooks_flow(lambda: world.is_in(message_id, "sent"), "gateway-a")


async def test_a_gateway_whose_clock_is_ahead_says_no_more_than_up_to_now(world: World) -> None:
    await world.alive(datetime.now(UTC) + timedelta(hours=1))
    await until(lambda: world.rows("select 1 from webhook_flows"))
    assert not await world.rows("select 1 from webhook_flows where until > now()")


async def test_an_attempt_that_nobody_ever_tells_of_is_not_sent_for_ever(world: World) -> None:
    await world.proven()
    await world.faults(kind="drop_after_accept", to="31621000004")
    message_id = await world.send("+31621000004")
    await world.while_webhooks_flow(lambda: world.is_in(message_id, "unconfirmed"))
    assert len(await world.sent_of(message_id)) == 2
    message = await world.message(message_id)
    assert [attempt["outcome"] for attempt in message["attempts"]] == ["unsettled", "unsettled"]
    # A late status still wins.
    await world.status(item(message_id, 1, "delivered", "wamid.late"))
    await world.until_status(message_id, "delivered")


async def test_a_number_that_never_brought_a_status_is_not_believed_in_its_silence(world: World) -> None:
    await world.faults(kind="drop_after_accept", count=1, to="31621000005")
    message_id = await world.send("+31621000005")
    await world.while_webhooks_flow(lambda: world.is_in(message_id, "unconfirmed"))
    assert len(await world.sent_of(message_id)) == 1
