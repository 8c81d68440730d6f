"""A process that dies with a message in hand: it comes again, and one that kills every process is laid to rest."""

import asyncio
import os
import sys
from uuid import uuid4

from blazz_contracts import Envelope
from blazz_contracts.topology.queue import DELIVERY_LIMIT

from tests.support.polling import until

from .conftest import QUEUE, Broker, Ordered

WORKSPACE = uuid4()

DIES = """
import asyncio, sys
from datetime import timedelta
from typing import ClassVar
from blazz_chassis.consumer import Consumer
from blazz_chassis.crashpoints import reach
from blazz_chassis.publisher import Publisher
from blazz_contracts import Event, Kind
from blazz_contracts.topology import COMMANDS, EVENTS, Binding, Queue

class Ordered(Event):
    name: ClassVar[str] = "chassis.ordered"
    kind: ClassVar[Kind] = Kind.COMMAND
    number: int

QUEUE = Queue("chassis.work", "chassis",
              (Binding(COMMANDS.name, Ordered.name), Binding(EVENTS.name, "chassis.happened.*")),
              retries=(timedelta(seconds=1), timedelta(seconds=2)))

async def main():
    publisher = Publisher(sys.argv[1], service="chassis", queues=[QUEUE], retry_scale=float(sys.argv[2]))
    consumer = Consumer(sys.argv[1], publisher, service="chassis")

    @consumer.on(QUEUE, Ordered, concurrency=5)
    async def handler(event, envelope):
        print("took", event.number, flush=True)
        if event.number == 3:
            reach("handler")

    await publisher.start()
    await consumer.start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_killed_in_a_handler_the_message_comes_again(broker: Broker) -> None:
    handled: list[int] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        handled.append(event.number)

    async with broker.publisher() as publisher:
        await publisher.publish_many([Ordered(workspace_id=WORKSPACE, number=n) for n in range(10)])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DIES, broker.url, "0.1",
            env={**os.environ, "BLAZZ_ENV": "local", "BLAZZ_CRASH_POINT": "handler"},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == -9
        before = {int(line.split()[1]) for line in out.decode().splitlines() if line.startswith("took ")}
        assert 3 in before
        async with broker.consuming(publisher, handler):
            await until(lambda: before | set(handled) >= set(range(10)) and 3 in handled)
    assert await broker.ready(QUEUE.name) == 0


async def test_a_message_that_is_never_settled_ends_in_the_dead_letters(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        await publisher.publish(Ordered(workspace_id=WORKSPACE, number=1))
        channel = await broker.raw()
        queue = await channel.get_queue(QUEUE.name)
        for _ in range(DELIVERY_LIMIT + 1):
            message = await until(lambda: queue.get(fail=False))
            await message.nack(requeue=True)
        dead = await broker.take(QUEUE.dead)
    assert Ordered.model_validate_json(dead.body).number == 1
    assert dead.headers["x-death"][0]["reason"] == "delivery_limit"
