"""Stopping: what is held is finished, and what is not begun goes back as if it had never left."""

import asyncio
from uuid import uuid4

from blazz_chassis.consumer import Consumer
from blazz_contracts import Envelope

from tests.support.polling import until

from .conftest import QUEUE, Broker, Ordered

WORKSPACE = uuid4()


async def test_an_ordered_stop_finishes_what_runs_and_returns_nothing_with_a_delivery_count(broker: Broker) -> None:
    begun = finished = 0

    async def handler(event: Ordered, envelope: Envelope) -> None:
        nonlocal begun, finished
        begun += 1
        await asyncio.sleep(0.05)
        finished += 1

    async with broker.publisher() as publisher:
        await publisher.publish_many([Ordered(workspace_id=WORKSPACE, number=n) for n in range(500)])
        consumer = Consumer(broker.url, publisher, service="chassis")
        consumer.on(QUEUE, Ordered, concurrency=20)(handler)
        await consumer.start()
        await until(lambda: finished >= 60)
        await consumer.cancel()
        await consumer.drain()
        await consumer.stop()
        assert begun == finished
        assert await broker.ready(QUEUE.name) == 500 - finished
        left = [await broker.take(QUEUE.name) for _ in range(500 - finished)]
    counts = {message.headers.get("x-delivery-count") for message in left}
    assert counts <= {None, 0}
    assert not any(message.redelivered for message in left)


async def test_a_rolling_restart_redelivers_nothing(broker: Broker) -> None:
    seen: list[int] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        await asyncio.sleep(0.002)
        seen.append(event.number)

    async with broker.publisher() as publisher:
        await publisher.publish_many([Ordered(workspace_id=WORKSPACE, number=n) for n in range(600)])
        for _ in range(4):
            before = len(seen)
            consumer = Consumer(broker.url, publisher, service="chassis")
            consumer.on(QUEUE, Ordered, concurrency=10)(handler)
            await consumer.start()
            await until(lambda before=before: len(seen) >= before + 100)
            await consumer.cancel()
            await consumer.drain()
            await consumer.stop()
        left = [await broker.take(QUEUE.name) for _ in range(await broker.ready(QUEUE.name))]
    assert len(seen) == len(set(seen))
    assert len(seen) + len(left) == 600
    assert [
        (message.redelivered, message.headers.get("x-delivery-count")) for message in left if message.redelivered
    ] == []


async def test_a_handler_is_stopped_by_the_end_of_its_process_only_after_its_message_is_safe(broker: Broker) -> None:
    started = asyncio.Event()

    async def handler(event: Ordered, envelope: Envelope) -> None:
        started.set()
        await asyncio.sleep(3600)

    async with broker.publisher() as publisher:
        async with broker.consuming(publisher, handler):
            await publisher.publish(Ordered(workspace_id=WORKSPACE, number=1))
            await started.wait()
        await until(lambda: broker.ready(QUEUE.name))
        assert (await broker.take(QUEUE.name)).headers["x-delivery-count"] == 1
