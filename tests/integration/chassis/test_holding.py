"""A dependency that is down: consumption pauses, what is held burns no try, and goes back in order when it is long."""

import asyncio
import itertools
from uuid import uuid4

import asyncpg
from blazz_chassis.batcher import Batcher
from blazz_chassis.database import Database
from blazz_chassis.errors import DependencyDown
from blazz_chassis.settings import ServiceSettings
from blazz_contracts import Envelope

from tests.support.polling import until

from .conftest import QUEUE, Broker, Ordered

WORKSPACE = uuid4()


def order(number: int) -> Ordered:
    return Ordered(workspace_id=WORKSPACE, number=number)


async def test_a_dependency_that_is_down_pauses_and_burns_no_try(broker: Broker) -> None:
    down, probes = True, 0
    attempts: list[int] = []
    done: list[int] = []

    async def probe() -> None:
        nonlocal probes
        probes += 1
        if down:
            raise DependencyDown

    async def handler(event: Ordered, envelope: Envelope) -> None:
        attempts.append(event.number)
        if down:
            raise DependencyDown("the provider does not answer", probe=probe)
        done.append(event.number)

    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(20)])
        async with broker.consuming(publisher, handler, concurrency=5) as consumer:
            await until(lambda: probes >= 2)
            # Five are held, of which one found it out; the rest never left the queue.
            assert attempts == [0]
            assert consumer.subscriptions[QUEUE.name].running == 5
            assert await broker.ready(QUEUE.name) == 15
            assert consumer.paused == {QUEUE.name: "dependency_down"}
            down = False
            await until(lambda: len(done) == 20)
            assert consumer.paused == {}
    assert done == list(range(20))
    for queue in (QUEUE.dead, *(step.name for step in QUEUE.steps)):
        assert await broker.ready(queue) == 0


async def test_a_locked_table_delays_intake_and_burns_no_try(broker: Broker, migrated: ServiceSettings) -> None:
    database = Database(migrated.database_api_url, migrated.database_worker_url, lock_timeout=0.1)
    flushes: list[list[int]] = []

    async def flush(numbers: list[int]) -> list[None]:
        flushes.append(numbers)
        async with database.worker() as connection:
            await connection.executemany(
                "insert into notes (id, workspace_id, text) values ($1, $2, $3)",
                [(uuid4(), WORKSPACE, str(n)) for n in numbers],
            )
        return [None] * len(numbers)

    batcher: Batcher[int, None] = Batcher(flush, name="locked", max_items=20, max_wait=1)

    async def handler(event: Ordered, envelope: Envelope) -> None:
        await batcher.submit(event.number)

    migration = await asyncpg.connect(migrated.database_owner_url.get_secret_value())
    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(20)])
        async with migration.transaction():
            await migration.execute("lock table notes in access exclusive mode")
            consuming = broker.consuming(publisher, handler, concurrency=20)
            consumer = await consuming.__aenter__()
            await until(lambda: len(flushes) >= 3)
            # Nobody is looked for who would be to blame: it is always all of them.
            assert flushes[:3] == [list(range(20))] * 3
            await until(lambda: consumer.paused == {QUEUE.name: "database_busy"})
        await until(lambda: len(batcher) == 0 and consumer.subscriptions[QUEUE.name].running == 0)
        await consuming.__aexit__(None, None, None)
    await migration.close()
    assert flushes[-1] == list(range(20))
    for queue in (QUEUE.name, QUEUE.dead, *(step.name for step in QUEUE.steps)):
        assert await broker.ready(queue) == 0
    async with database.worker() as connection:
        assert await connection.fetchval("select count(*) from notes") == 20
    await batcher.close()
    await database.close()


async def test_what_is_held_too_long_goes_back_though_the_probe_succeeds_each_time(broker: Broker) -> None:
    down = True
    done: list[int] = []

    async def probe() -> None:
        """The database answers, and the table stays locked."""

    async def handler(event: Ordered, envelope: Envelope) -> None:
        if down:
            raise DependencyDown(probe=probe)
        done.append(event.number)

    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(10)])
        async with broker.consuming(publisher, handler, concurrency=5, hold=0.5) as consumer:
            subscription = consumer.subscriptions[QUEUE.name]
            await until(lambda: subscription.gate.giving_up)
            assert await until(lambda: broker.ready(QUEUE.name)) == 10
            down = False
            await until(lambda: len(done) == 10)
            assert await subscription.registered()
    assert done == list(range(10))


async def test_what_is_held_too_long_goes_back_and_comes_again_in_order(broker: Broker) -> None:
    down = True
    done: list[tuple[int, int]] = []

    async def probe() -> None:
        if down:
            raise DependencyDown

    async def handler(event: Ordered, envelope: Envelope) -> None:
        if down:
            raise DependencyDown(probe=probe)
        done.append((event.number, event.number))

    async with broker.publisher() as publisher:
        await publisher.publish_many([order(n) for n in range(10)])
        async with broker.consuming(publisher, handler, concurrency=5, hold=0.3) as consumer:
            subscription = consumer.subscriptions[QUEUE.name]
            await until(lambda: subscription.gate.giving_up)
            assert await until(lambda: broker.ready(QUEUE.name)) == 10
            assert not await subscription.registered()
            down = False
            await until(lambda: len(done) == 10)
            assert await subscription.registered()
    assert [number for number, _ in done] == list(range(10))


async def test_a_dependency_without_a_probe_is_tried_less_and_less_often(broker: Broker) -> None:
    tries: list[float] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) < 4:
            raise DependencyDown

    async with broker.publisher() as publisher, broker.consuming(publisher, handler):
        await publisher.publish(order(1))
        await until(lambda: len(tries) == 4)
    first, second, third = (later - earlier for earlier, later in itertools.pairwise(tries))
    assert first < second < third
    assert await broker.ready(QUEUE.dead) == 0
