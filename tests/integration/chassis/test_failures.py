"""What happens when broker and database fail: on servers of this module's own, since they are made to fail."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from blazz_chassis.database import Database
from blazz_chassis.errors import BrokerUnavailable, DatabaseUnavailable
from blazz_chassis.migrate import upgrade_async
from blazz_contracts import Envelope
from blazz_local import Folder, Servers
from blazz_local import databases as service_databases
from blazz_local.broker import Management
from blazz_local.servers import Given

from tests.support.polling import until

from .conftest import MIGRATIONS, QUEUE, Broker, Ordered, settings_for

WORKSPACE = uuid4()


def order(number: int) -> Ordered:
    return Ordered(workspace_id=WORKSPACE, number=number)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Servers that only this module's tests use."""
    folder = Folder(tmp_path_factory.mktemp("own"))
    async with Servers(folder, durable=True, given=Given(), say=lambda _: None) as servers:
        yield servers


@pytest_asyncio.fixture(loop_scope="session")
async def broker(own: Servers) -> AsyncIterator[Broker]:
    async with Management(own.rabbitmq.management_url) as management:
        name = f"test-{uuid4().hex[:8]}"
        await management.create_vhost(name, user=own.rabbitmq.user)
        made = Broker(own.rabbitmq.amqp_url.rstrip("/") + f"/{name}", management)
        yield made
        await made.close()
        await management.delete_vhost(name)


async def ctl(own: Servers, *arguments: str) -> str:
    """Run rabbitmqctl against the module's node."""
    program = own.rabbitmq.programs[-1]
    if program.command[0] == "docker":
        command = ["docker", "exec", program.command[program.command.index("--name") + 1], "rabbitmqctl", *arguments]
    else:
        command = [
            "/usr/lib/rabbitmq/bin/rabbitmqctl",
            "--longnames",
            "-n",
            program.env["RABBITMQ_NODENAME"],
            *arguments,
        ]
        command.remove("--longnames")
    done = await asyncio.to_thread(
        subprocess.run, command, env={**os.environ, **program.env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_during_a_memory_alarm_publishing_times_out_and_consuming_goes_on(own: Servers, broker: Broker) -> None:
    handled: list[int] = []
    proceed = asyncio.Event()

    async def handler(event: Ordered, envelope: Envelope) -> None:
        await proceed.wait()
        handled.append(event.number)

    async with broker.publisher(timeout=1.0) as publisher:
        await publisher.publish_many([order(n) for n in range(50)])
        async with broker.consuming(publisher, handler, concurrency=5) as consumer:
            await until(lambda: consumer.subscriptions[QUEUE.name].running == 5)
            await ctl(own, "set_vm_memory_high_watermark", "absolute", "1MB")
            try:
                loop = asyncio.get_running_loop()
                started = loop.time()
                results = await asyncio.gather(
                    *(publisher.publish(order(100 + n)) for n in range(20)), return_exceptions=True
                )
                assert all(isinstance(result, BrokerUnavailable) for result in results), results
                assert loop.time() - started < 3
                await until(lambda: publisher.blocked)
                with pytest.raises(BrokerUnavailable):
                    await publisher.probe()
                # Consuming is on a connection of its own, which never publishes: it is not blocked.
                proceed.set()
                await until(lambda: len(handled) >= 50)
            finally:
                await ctl(own, "set_vm_memory_high_watermark", "0.6")
            await until(lambda: not publisher.blocked)
            await publisher.publish(order(999))
            await until(lambda: 999 in handled)


async def test_a_queue_deleted_under_its_consumer_comes_back_with_its_bindings(broker: Broker) -> None:
    handled: list[int] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        handled.append(event.number)

    async with broker.publisher() as publisher, broker.consuming(publisher, handler) as consumer:
        await publisher.publish(order(1))
        await until(lambda: handled == [1])
        await (await broker.raw()).queue_delete(QUEUE.name)
        await until(lambda: _registered_again(consumer, broker))
        await publisher.publish(order(2))
        await until(lambda: handled == [1, 2])


async def _registered_again(consumer: Any, broker: Broker) -> bool:
    try:
        await broker.ready(QUEUE.name)
    except Exception:
        return False
    return not await consumer.missing()


async def test_connections_that_are_cut_lose_nothing(broker: Broker) -> None:
    handled: set[int] = set()

    async def handler(event: Ordered, envelope: Envelope) -> None:
        handled.add(event.number)

    async with broker.publisher(timeout=10.0) as publisher, broker.consuming(publisher, handler, concurrency=50):
        publishing = asyncio.create_task(_publish_slowly(publisher, 600))
        await until(lambda: len(handled) > 50)
        names = await until(lambda: _connections(broker))
        for name in names:
            await broker.management.call("DELETE", f"connections/{name}")
        sent = await publishing
        await until(lambda: handled >= sent, 20)
    assert sent == set(range(600))


async def _connections(broker: Broker) -> list[str]:
    listed = await broker.management.call("GET", "connections")
    found = [each for each in listed if each.get("vhost") == broker.vhost]
    names = [str(each.get("client_properties", {}).get("connection_name", "")) for each in found]
    if {"chassis publish", "chassis consume"} <= set(names):
        return [str(each["name"]) for each, name in zip(found, names, strict=True) if name.startswith("chassis ")]
    return []


async def _publish_slowly(publisher: Any, count: int) -> set[int]:
    sent: set[int] = set()
    for first in range(0, count, 10):
        await publisher.publish_many([order(n) for n in range(first, first + 10)])
        sent.update(range(first, first + 10))
        await asyncio.sleep(0.05)
    return sent


async def test_a_broker_that_is_killed_and_comes_back_loses_nothing_confirmed(own: Servers, broker: Broker) -> None:
    handled: set[int] = set()
    confirmed: set[int] = set()
    refused = 0

    async def handler(event: Ordered, envelope: Envelope) -> None:
        handled.add(event.number)

    async def load(publisher: Any, stop: asyncio.Event) -> None:
        nonlocal refused
        number = 0
        while not stop.is_set():
            numbers = range(number, number + 20)
            number += 20
            results = await asyncio.gather(*(publisher.publish(order(n)) for n in numbers), return_exceptions=True)
            for each, result in zip(numbers, results, strict=True):
                if isinstance(result, BrokerUnavailable):
                    refused += 1
                elif isinstance(result, BaseException):
                    raise result
                else:
                    confirmed.add(each)
            await asyncio.sleep(0.01)

    async with (
        broker.publisher(timeout=1.0) as publisher,
        broker.consuming(publisher, handler, concurrency=50) as consumer,
    ):
        stop = asyncio.Event()
        loading = asyncio.create_task(load(publisher, stop))
        await until(lambda: len(confirmed) > 200)
        own.supervisor.kill("rabbitmq")
        await own.supervisor.wait_ready("rabbitmq", timeout=60)
        before = len(confirmed)
        await until(lambda: len(confirmed) > before + 200, 30)
        stop.set()
        await loading
        await until(lambda: handled >= confirmed, 30)
        assert await consumer.missing() == []
    assert refused > 0


async def test_a_database_that_is_restarted_is_used_again(own: Servers) -> None:
    made = await service_databases.create(own.postgres.url, "chassis", lambda role: role, database="chassis_restart")
    settings = settings_for(made)
    await upgrade_async("chassis", settings, MIGRATIONS)
    database = Database(made.api_url, made.worker_url)
    try:
        async with database.api(WORKSPACE) as connection:
            await connection.fetchval("select 1")
        await own.supervisor.stop("postgres")
        with pytest.raises(DatabaseUnavailable):
            await database.probe()
        with pytest.raises(DatabaseUnavailable):
            async with database.session(WORKSPACE):
                pass
        await own.start_postgres()
        await database.probe()
        async with database.api(WORKSPACE) as connection:
            assert await connection.fetchval("select count(*) from notes") == 0
        async with database.session(WORKSPACE):
            pass
    finally:
        await database.close()
