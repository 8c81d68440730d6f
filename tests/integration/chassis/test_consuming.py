"""Consuming: acks after the handler, retries with a ladder, buries with a reason, bounds concurrency, keeps order."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import aio_pika
from blazz_chassis import inbox, outgoing
from blazz_chassis.batcher import Batcher
from blazz_chassis.database import Database
from blazz_chassis.errors import Permanent
from blazz_contracts import Envelope

from tests.support.polling import until

from .conftest import QUEUE, Broker, Happened, Ordered

WORKSPACE = uuid4()


def order(number: int) -> Ordered:
    return Ordered(workspace_id=WORKSPACE, number=number)


async def test_a_handled_message_is_acked_and_carries_its_envelope(broker: Broker) -> None:
    got: list[tuple[Ordered, Envelope]] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        got.append((event, envelope))

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        identifier = await publisher.publish(order(5))
        await until(lambda: got)
    event, envelope = got[0]
    assert event.number == 5
    assert envelope.message_id == identifier
    assert (envelope.type, envelope.version, envelope.workspace_id) == ("chassis.ordered", 1, WORKSPACE)
    assert await broker.ready(QUEUE.name) == 0


async def test_each_event_type_has_its_handler(broker: Broker) -> None:
    got: list[str] = []

    async def handler(event: Any, envelope: Envelope) -> None:
        got.append(f"{type(event).__name__}:{envelope.type}")

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        await publisher.publish_many([order(1), Happened(workspace_id=WORKSPACE, number=2)])
        await until(lambda: len(got) == 2)
    assert sorted(got) == ["Happened:chassis.happened", "Ordered:chassis.ordered"]


async def test_prefetch_bounds_how_many_handlers_run(broker: Broker) -> None:
    running = most = done = 0

    async def handler(event: Ordered, envelope: Envelope) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        done += 1

    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(200)])
        async with broker.consuming(publisher, handler, concurrency=7):
            await until(lambda: done == 200)
    assert most == 7


async def test_handlers_start_in_the_order_of_delivery_and_batches_keep_it(broker: Broker) -> None:
    stored: list[int] = []
    sizes: list[int] = []

    async def flush(numbers: list[int]) -> list[None]:
        await asyncio.sleep(0.002)
        stored.extend(numbers)
        sizes.append(len(numbers))
        return [None] * len(numbers)

    batcher: Batcher[int, None] = Batcher(flush, name="order", max_items=20, max_wait=0.002)

    async def handler(event: Ordered, envelope: Envelope) -> None:
        await batcher.submit(event.number)

    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(1000)])
        async with broker.consuming(publisher, handler, concurrency=64):
            await until(lambda: len(stored) == 1000)
    await batcher.close()
    assert stored == list(range(1000))
    assert max(sizes) > 1


async def test_a_message_is_acked_only_after_its_batch_is_committed(broker: Broker) -> None:
    release = asyncio.Event()
    flushed: list[int] = []

    async def flush(numbers: list[int]) -> list[None]:
        await release.wait()
        flushed.extend(numbers)
        return [None] * len(numbers)

    batcher: Batcher[int, None] = Batcher(flush, name="ack")

    async def handler(event: Ordered, envelope: Envelope) -> None:
        await batcher.submit(event.number)

    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(10)])
        async with broker.consuming(publisher, handler) as consumer:
            await until(lambda: consumer.subscriptions[QUEUE.name].running == 10)
        # The connection is closed with nothing committed: all ten are there.
        assert await until(lambda: broker.ready(QUEUE.name)) == 10
    release.set()
    await batcher.close()


async def test_a_failed_message_climbs_the_ladder_and_succeeds(broker: Broker) -> None:
    seen: list[float] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        seen.append(asyncio.get_running_loop().time())
        if len(seen) < 3:
            raise RuntimeError("not yet")

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        await publisher.publish(order(1))
        await until(lambda: len(seen) == 3)
    assert seen[1] - seen[0] >= 0.1
    assert seen[2] - seen[1] >= 0.2
    assert await broker.ready(QUEUE.dead) == 0


async def test_after_the_last_step_a_message_is_dead_with_its_error_and_tries(broker: Broker) -> None:
    runs = 0

    async def handler(event: Ordered, envelope: Envelope) -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("always")

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        identifier = await publisher.publish(order(9))
        dead = await until(lambda: broker.ready(QUEUE.dead)) and await broker.take(QUEUE.dead)
    assert runs == 3
    assert dead.message_id == str(identifier)
    assert dead.type == "chassis.ordered"
    assert dead.delivery_mode == 2
    assert dead.headers["blazz-tries"] == 3
    assert dead.headers["blazz-error"] == "always"
    assert dead.headers["blazz-error-code"] == "RuntimeError"
    assert dead.headers["blazz-reason"] == "tries_used_up"
    assert dead.headers["blazz-queue"] == QUEUE.name
    assert 'raise RuntimeError("always")' in dead.headers["blazz-traceback"]
    assert dead.headers["workspace-id"] == str(WORKSPACE)
    assert Ordered.model_validate_json(dead.body) == order(9)


async def test_a_permanent_error_is_dead_at_once(broker: Broker) -> None:
    runs = 0

    async def handler(event: Ordered, envelope: Envelope) -> None:
        nonlocal runs
        runs += 1
        raise Permanent("no such channel", code="channel_unknown")

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        await publisher.publish(order(1))
        dead = await until(lambda: broker.ready(QUEUE.dead)) and await broker.take(QUEUE.dead)
    assert runs == 1
    assert dead.headers["blazz-reason"] == "channel_unknown"
    assert dead.headers["blazz-error"] == "no such channel"


async def test_what_cannot_be_decoded_is_dead_with_its_reason_and_stops_nothing(broker: Broker) -> None:
    got: list[int] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        got.append(event.number)

    async def raw(body: bytes, **properties: Any) -> None:
        channel = await broker.raw()
        exchange = await channel.get_exchange("blazz.commands")
        await exchange.publish(aio_pika.Message(body, **properties), Ordered.name)

    envelope = {
        "message_id": str(uuid4()),
        "type": Ordered.name,
        "app_id": "test",
        "correlation_id": "c",
        "headers": {"schema-version": 1, "workspace-id": str(WORKSPACE)},
    }
    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        await raw(b"\xff\x00 no json", **envelope)
        await raw(b'{"workspace_id": "x", "number": "many"}', **envelope)
        await raw(order(1).model_dump_json().encode(), **{**envelope, "type": "chassis.unheard"})
        await raw(order(1).model_dump_json().encode(), **{**envelope, "message_id": "not an id"})
        await raw(order(1).model_dump_json().encode())
        await publisher.publish(order(2))
        await until(lambda: got == [2])
        dead = [await broker.take(QUEUE.dead) for _ in range(5)]
    told = sorted((str(each.headers["blazz-reason"]), str(each.headers["blazz-error"])) for each in dead)
    assert [reason for reason, _ in told].count("undecodable") == 4
    assert ("unexpected_type", "chassis.work has no handler for 'chassis.unheard'") in told
    assert any("workspace_id" in error and "number" in error for _, error in told)


async def test_a_newer_producer_is_understood(broker: Broker) -> None:
    got: list[Ordered] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        got.append(event)

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        channel = await broker.raw()
        exchange = await channel.get_exchange("blazz.commands")
        body = b'{"workspace_id": "%s", "number": 3, "added_later": [1]}' % str(WORKSPACE).encode()
        await exchange.publish(
            aio_pika.Message(
                body,
                message_id=str(uuid4()),
                type=Ordered.name,
                headers={"schema-version": 2, "workspace-id": str(WORKSPACE)},
            ),
            Ordered.name,
        )
        await until(lambda: got)
    assert got[0].number == 3


async def test_a_retry_queue_that_is_gone_loses_no_message(broker: Broker) -> None:
    runs = 0

    async def handler(event: Ordered, envelope: Envelope) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("once")

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        channel = await broker.raw()
        await channel.queue_delete(QUEUE.steps[0].name)
        await publisher.publish(order(1))
        await until(lambda: runs >= 2)
    assert await broker.ready(QUEUE.name) == 0


async def test_thousands_of_duplicates_have_one_effect_each(broker: Broker, database: Database) -> None:
    effects: list[UUID] = []
    seen = 0

    async def flush(identifiers: list[UUID]) -> list[None]:
        nonlocal seen
        async with database.worker() as connection:
            effects.extend(await inbox.first_times(connection, "duplicates", identifiers))
        seen += len(identifiers)
        return [None] * len(identifiers)

    batcher: Batcher[UUID, None] = Batcher(flush, name="duplicates", max_items=200)

    async def handler(event: Ordered, envelope: Envelope) -> None:
        await batcher.submit(envelope.message_id)

    messages = [outgoing.of(order(n), app_id="t") for n in range(3)]
    async with broker.publisher() as publisher:
        await publisher.send_many([messages[n % 3] for n in range(3000)])
        async with broker.consuming(publisher, handler, concurrency=200):
            await until(lambda: seen == 3000, 20)
    await batcher.close()
    assert sorted(map(str, effects)) == sorted(message.message_id for message in messages)
