"""What the chassis' tests share: events of their own on queues of the topology, in a virtual host of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import aio_pika
import pytest_asyncio
from blazz_chassis.consumer import Consumer
from blazz_chassis.database import Database
from blazz_chassis.migrate import upgrade_async
from blazz_chassis.publisher import Publisher
from blazz_chassis.settings import ServiceSettings
from blazz_contracts import Event, Kind
from blazz_contracts.topology import COMMANDS, EVENTS, Binding, Queue
from blazz_local.broker import Management
from pydantic import SecretStr

from tests.support.polling import until


class Ordered(Event):
    """A command of these tests."""

    name: ClassVar[str] = "chassis.ordered"
    kind: ClassVar[Kind] = Kind.COMMAND

    number: int
    text: str = ""


class Happened(Event):
    """An event of these tests."""

    name: ClassVar[str] = "chassis.happened"

    number: int


QUEUE = Queue(
    "chassis.work",
    "chassis",
    (Binding(COMMANDS.name, Ordered.name), Binding(EVENTS.name, f"{Happened.name}.*")),
    retries=(timedelta(seconds=1), timedelta(seconds=2)),
)
# The ladder's TTLs in these tests: 100 and 200 ms.
SCALE = 0.1


class Broker:
    """A virtual host with what a test asks of it."""

    def __init__(self, url: str, management: Management) -> None:
        self.url = url
        self.management = management
        self.vhost = urlsplit(url).path[1:]
        self._stack = AsyncExitStack()
        self._channel: Any = None

    async def raw(self) -> aio_pika.abc.AbstractChannel:
        """A plain channel beside the chassis."""
        if self._channel is None or self._channel.is_closed:
            connection = await aio_pika.connect(self.url)
            self._stack.push_async_callback(connection.close)
            self._channel = await connection.channel()
        return self._channel

    async def close(self) -> None:
        await self._stack.aclose()

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return await self.management.call(method, path.replace("{vhost}", quote(self.vhost, safe="")), body)

    async def ready(self, queue: str) -> int:
        """Messages ready in a queue, by AMQP (the management API lags)."""
        channel = await self.raw()
        declared = await channel.declare_queue(queue, passive=True)
        return int(declared.declaration_result.message_count or 0)

    async def take(self, queue: str, within: float = 10.0) -> aio_pika.abc.AbstractIncomingMessage:
        """Take one message out of a queue."""
        channel = await self.raw()
        source = await channel.get_queue(queue)
        message = await until(lambda: source.get(fail=False), within)
        await message.ack()
        return message

    @asynccontextmanager
    async def publisher(self, **options: Any) -> AsyncIterator[Publisher]:
        """A started publisher that has declared the tests' queue."""
        publisher = Publisher(
            options.pop("url", self.url), service="chassis", queues=[QUEUE], retry_scale=SCALE, **options
        )
        await publisher.start()
        try:
            await asyncio.wait_for(publisher.declared.wait(), 10)
            await until(lambda: publisher.connected)
            yield publisher
        finally:
            await publisher.stop()

    @asynccontextmanager
    async def consuming(
        self,
        publisher: Publisher,
        handler: Callable[[Any, Any], Awaitable[Any]],
        *,
        concurrency: int = 10,
        hold: float = 600.0,
        events: tuple[type[Event], ...] = (Ordered, Happened),
    ) -> AsyncIterator[Consumer]:
        """A consumer of the tests' queue, registered when this yields."""
        consumer = Consumer(self.url, publisher, service="chassis", hold=hold)
        consumer.on(QUEUE, *events, concurrency=concurrency)(handler)
        await consumer.start()
        try:
            await asyncio.wait_for(consumer.started.wait(), 10)
            yield consumer
        finally:
            await consumer.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def broker(make_vhost: Callable[[], Awaitable[str]], vhost_management: Management) -> AsyncIterator[Broker]:
    """A virtual host for this test alone."""
    made = Broker(await make_vhost(), vhost_management)
    yield made
    await made.close()


MIGRATIONS = f"{__package__}.migrations" if __package__ else "migrations"


def settings_for(made: Any, **more: Any) -> ServiceSettings:
    """Settings of a service with this database."""
    return ServiceSettings(
        env="local",
        database_owner_url=SecretStr(made.owner_url),
        database_api_url=SecretStr(made.api_url),
        database_worker_url=SecretStr(made.worker_url),
        **more,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def migrated(make_database: Any) -> ServiceSettings:
    """Settings with a fresh database that has the tests' tables."""
    settings = settings_for(await make_database("chassis", migrate=False))
    await upgrade_async("chassis", settings, MIGRATIONS)
    return settings


@pytest_asyncio.fixture(loop_scope="session")
async def database(migrated: ServiceSettings) -> AsyncIterator[Database]:
    """That database, as a service uses it."""
    made = Database(migrated.database_api_url, migrated.database_worker_url, service="chassis")
    yield made
    await made.close()
