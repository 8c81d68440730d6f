"""The outbox: what was committed is published, whoever dies when; nothing else is."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from blazz_chassis import inbox
from blazz_chassis.database import Database
from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher
from blazz_chassis.settings import ServiceSettings
from blazz_contracts.topology import Address

from tests.support.polling import until

from .conftest import QUEUE, Broker, Ordered

WORKSPACE = uuid4()


def order(number: int) -> Ordered:
    return Ordered(workspace_id=WORKSPACE, number=number)


async def rows(database: Database) -> int:
    async with database.worker() as connection:
        return int(await connection.fetchval("select count(*) from outbox"))


@pytest_asyncio.fixture(loop_scope="session")
async def publisher(broker: Broker) -> AsyncIterator[Publisher]:
    async with broker.publisher(timeout=1.0) as publisher:
        yield publisher


async def test_what_was_committed_is_sent_at_once_and_deleted(
    broker: Broker, publisher: Publisher, database: Database
) -> None:
    outbox = Outbox(database, publisher, service="chassis")
    async with database.api(WORKSPACE) as connection:
        receipt = await outbox.add(connection, [order(n) for n in range(3)])
    assert await rows(database) == 3
    await outbox.send(receipt)
    assert await rows(database) == 0
    messages = [await broker.take(QUEUE.name) for _ in range(3)]
    assert [Ordered.model_validate_json(message.body).number for message in messages] == [0, 1, 2]
    assert [message.message_id for message in messages] == [sent.message_id for sent in receipt.messages]


async def test_what_was_rolled_back_is_never_sent(broker: Broker, publisher: Publisher, database: Database) -> None:
    outbox = Outbox(database, publisher, service="chassis", lease=0.01)

    async def fail() -> None:
        async with database.api(WORKSPACE) as connection:
            await outbox.add(connection, [order(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await outbox.relay_once() == 0
    assert await broker.ready(QUEUE.name) == 0


async def test_the_relay_leaves_fresh_rows_to_their_writer_and_takes_stale_ones(
    broker: Broker, publisher: Publisher, database: Database
) -> None:
    fresh = Outbox(database, publisher, service="chassis", lease=30)
    stale = Outbox(database, publisher, service="chassis", lease=0.0)
    async with database.worker() as connection:
        await fresh.add(connection, [order(1)])
        receipt = await stale.add(connection, [order(2)])
    assert await fresh.relay_once() == 1
    message = await broker.take(QUEUE.name)
    assert Ordered.model_validate_json(message.body).number == 2
    assert message.message_id == receipt.messages[0].message_id
    assert message.correlation_id == receipt.messages[0].correlation_id
    assert message.headers["workspace-id"] == str(WORKSPACE)
    assert await rows(database) == 1


async def test_several_relays_send_each_row_once(broker: Broker, publisher: Publisher, database: Database) -> None:
    outboxes = [Outbox(database, publisher, service="chassis", lease=0.0) for _ in range(3)]
    async with database.worker() as connection:
        await outboxes[0].add(connection, [order(n) for n in range(250)])
    relays = [Outbox(database, publisher, service="chassis", lease=30) for _ in range(3)]
    while sum(await asyncio.gather(*(relay.relay_once() for relay in relays))):
        pass
    assert await rows(database) == 0
    assert await broker.ready(QUEUE.name) == 250


async def test_a_broker_that_is_away_delays_and_loses_nothing(broker: Broker, database: Database) -> None:
    away = Publisher("amqp://nobody:x@127.0.0.1:1/", service="chassis", timeout=0.2)
    await away.start()
    outbox = Outbox(database, away, service="chassis", lease=0.0)
    async with database.api(WORKSPACE) as connection:
        receipt = await outbox.add(connection, [order(1)])
    await outbox.send(receipt)
    assert await rows(database) == 1
    with pytest.raises(BrokerUnavailable):
        await outbox.relay_once()
    await away.stop()
    async with broker.publisher() as publisher:
        assert await Outbox(database, publisher, service="chassis").relay_once() == 1
    assert await broker.ready(QUEUE.name) == 1
    assert await rows(database) == 0


async def test_one_that_cannot_be_sent_holds_back_no_other(
    broker: Broker, publisher: Publisher, database: Database
) -> None:
    outbox = Outbox(database, publisher, service="chassis", lease=0.0)
    nobody = Address("blazz.commands", "nobody.listens", mandatory=True)
    async with database.worker() as connection:
        await outbox.add(connection, [order(1), (order(2), nobody), order(3)])
    await Outbox(database, publisher, service="chassis").relay_once()
    assert await broker.ready(QUEUE.name) == 2
    assert await rows(database) == 1


async def test_what_is_sent_in_the_background_is_through_after_a_flush(
    broker: Broker, publisher: Publisher, database: Database
) -> None:
    outbox = Outbox(database, publisher, service="chassis")
    async with database.api(WORKSPACE) as connection:
        receipt = await outbox.add(connection, [order(1)])
    outbox.send_soon(receipt)
    await outbox.flush()
    assert await rows(database) == 0
    assert await broker.ready(QUEUE.name) == 1


# Its own copy of the command: importing this folder's conftest would cost more than the test.
DIES = """
import asyncio, sys
from typing import ClassVar
from uuid import UUID
from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher
from blazz_contracts import Event, Kind

class Ordered(Event):
    name: ClassVar[str] = "chassis.ordered"
    kind: ClassVar[Kind] = Kind.COMMAND
    number: int

async def main():
    database = Database(sys.argv[1], sys.argv[2])
    publisher = Publisher(sys.argv[3], service="chassis")
    await publisher.start()
    outbox = Outbox(database, publisher, service="chassis", lease=0.3)
    async with database.worker() as connection:
        receipt = await outbox.add(connection, [Ordered(workspace_id=UUID(int=1), number=n) for n in range(5)])
    print("committed", flush=True)
    if sys.argv[4] == "relay":
        await asyncio.sleep(0.4)
        await outbox.relay_once()
    else:
        await outbox.send(receipt)

asyncio.run(main())
"""


@pytest.mark.parametrize(("who", "point"), [("writer", "outbox.after_publish"), ("relay", "relay.after_publish")])
async def test_killed_between_confirm_and_delete_sends_again_with_the_same_ids(
    broker: Broker, publisher: Publisher, database: Database, migrated: ServiceSettings, who: str, point: str
) -> None:
    urls = (migrated.database_api_url.get_secret_value(), migrated.database_worker_url.get_secret_value(), broker.url)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DIES, *urls, who],
        env={**os.environ, "BLAZZ_ENV": "local", "BLAZZ_CRASH_POINT": point},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr.decode()
    assert await rows(database) == 5
    outbox = Outbox(database, publisher, service="chassis", lease=0.3)
    await until(outbox.relay_once)
    assert await rows(database) == 0
    messages = [await broker.take(QUEUE.name) for _ in range(10)]
    assert len({message.message_id for message in messages}) == 5


async def test_the_inbox_lets_each_consumer_handle_a_message_once(database: Database) -> None:
    message, other = uuid4(), uuid4()
    async with database.worker() as connection:
        assert await inbox.first_time(connection, "a", message)
        assert not await inbox.first_time(connection, "a", message)
        assert await inbox.first_time(connection, "b", message)
        assert await inbox.first_times(connection, "a", [message, other, other]) == {other}
    await inbox.prune(database, days=0)
    async with database.worker() as connection:
        assert await connection.fetchval("select count(*) from inbox") == 0


async def test_a_doubled_message_handled_at_once_has_one_effect(database: Database) -> None:
    message = uuid4()

    async def handle() -> bool:
        async with database.worker() as connection:
            first = await inbox.first_time(connection, "a", message)
            await asyncio.sleep(0.05)
            return first

    assert sorted(await asyncio.gather(*(handle() for _ in range(3)))) == [False, False, True]
