"""The local stack's own RabbitMQ and PostgreSQL, beside those of this test run."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pytest
import pytest_asyncio
from blazz_local import CLONE, Folder, Given, Servers
from blazz_local.databases import KINDS, SERVICES, name_of
from blazz_local.postgres import program_folder
from blazz_local.process import strays

from tests.support.polling import until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Another pair in a folder of its own, started while the run's pair is up (`servers`)."""
    folder = Folder(tmp_path_factory.mktemp("second") / ".blazz")
    async with Servers(folder, given=Given(), durable=False, say=lambda _: None) as started:
        yield started
    assert strays(folder.path) == []


async def test_a_second_pair_works_beside_the_first(servers: Servers, second: Servers) -> None:
    assert servers.rabbitmq.amqp_url != second.rabbitmq.amqp_url
    for pair in (servers, second):
        async with await aio_pika.connect(pair.rabbitmq.amqp_url) as connection:
            await connection.channel()
        connection = await asyncpg.connect(pair.postgres.url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_everything_they_write_is_in_their_folder(second: Servers) -> None:
    assert (second.folder.postgres / "PG_VERSION").exists()
    assert list((second.folder.rabbitmq / "mnesia").iterdir())
    assert (second.folder.rabbitmq / ".erlang.cookie").exists()


@pytest.mark.parametrize("name", ["postgres", "rabbitmq", "epmd"])
async def test_a_killed_server_serves_again_within_ten_seconds(second: Servers, name: str) -> None:
    killed = second.supervisor.kill(name)
    began = time.monotonic()
    # Twice the promise: this machine may be busy with other tests.
    await second.supervisor.wait_ready(name, timeout=20)
    assert second.supervisor.pid(name) != killed
    assert time.monotonic() - began < 20


async def test_a_killed_broker_keeps_what_it_confirmed(second: Servers) -> None:
    arguments = {"x-queue-type": "quorum"}
    async with await aio_pika.connect(second.rabbitmq.amqp_url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue("kept", durable=True, arguments=arguments)
        message = aio_pika.Message(b"here", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "kept")

        # RabbitMQ 3.10 writes a new quorum queue's name down up to a second later; killed before that, it comes back
        # with a queue that answers nobody.
        names = list(second.folder.rabbitmq.rglob("names.dets"))
        await until(lambda: [file for file in names if b"kept" in file.read_bytes()], what="the queue's name on disk")
        second.supervisor.kill("rabbitmq")
    await second.supervisor.wait_ready("rabbitmq", timeout=30)
    async with await aio_pika.connect(second.rabbitmq.amqp_url) as connection:
        queue = await (await connection.channel()).get_queue("kept")
        kept = await queue.get(timeout=10)
        assert kept.body == b"here"
        await kept.ack()


async def test_the_containers_database_script_makes_every_database_with_its_roles(second: Servers) -> None:
    parts = urlsplit(second.postgres.url)
    script = await asyncio.create_subprocess_exec(
        "bash",
        str(CLONE / "deploy" / "postgres" / "create-databases.sh"),
        env={
            "PATH": f"{program_folder()}:/usr/bin:/bin",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(parts.port),
            "PGPASSWORD": str(parts.password),
            "POSTGRES_USER": "postgres",
            **{
                f"BLAZZ_POSTGRES_PASSWORD_{name_of(service).upper()}_{kind.upper()}": f"it's {service}'s {kind}"
                for service in SERVICES
                for kind in KINDS
            },
        },
    )
    assert await script.wait() == 0
    for service in SERVICES:
        for kind in KINDS:
            connection = await asyncpg.connect(
                host="127.0.0.1",
                port=parts.port,
                user=f"{name_of(service)}_{kind}",
                password=f"it's {service}'s {kind}",
                database=name_of(service),
            )
            await connection.close()
