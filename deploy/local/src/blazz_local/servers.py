"""RabbitMQ and PostgreSQL alone: what the integration tests need, and the first half of a stack."""

import asyncio
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from blazz_local import postgres, rabbitmq
from blazz_local.credentials import Credentials
from blazz_local.folder import Folder
from blazz_local.ports import Ports
from blazz_local.process import end_strays
from blazz_local.supervisor import Say, Supervisor


@dataclass(frozen=True, slots=True)
class Given:
    """Servers that somebody else runs; what is None is found or started."""

    amqp_url: str | None = None
    amqp_management_url: str | None = None
    postgres_url: str | None = None

    @classmethod
    def from_environment(cls) -> "Given":
        """`BLAZZ_AMQP_URL`, `BLAZZ_AMQP_MANAGEMENT_URL`, `BLAZZ_POSTGRES_URL` (a superuser's)."""
        names = ("BLAZZ_AMQP_URL", "BLAZZ_AMQP_MANAGEMENT_URL", "BLAZZ_POSTGRES_URL")
        return cls(*(os.environ.get(name) or None for name in names))

    @property
    def complete(self) -> bool:
        """Whether nothing needs to be started."""
        return self.amqp_url is not None and self.postgres_url is not None


class Servers:
    """The two servers of a folder. `async with Servers(folder) as servers:` starts and stops them."""

    def __init__(self, folder: Folder, *, durable: bool = True, given: Given | None = None, say: Say = print) -> None:
        """`durable=False` is for data that a test run throws away: no fsync, no slow goodbyes."""
        folder.create()
        self.folder = folder
        self.ports = Ports(folder)
        self.credentials = Credentials(folder)
        self.supervisor = Supervisor(say=say)
        self._say = say
        self._durable = durable
        self._given = given or Given.from_environment()
        self.rabbitmq = rabbitmq.RabbitMQ("", "")
        self.postgres = postgres.Postgres("")

    async def start(self) -> None:
        """Find or start both, side by side. Raises `ServerMissing`, `StartFailed`; then neither is left running."""
        await self.prepare()
        started = await asyncio.gather(self.start_rabbitmq(), self.start_postgres(), return_exceptions=True)
        for result in started:
            if isinstance(result, BaseException):
                await self.stop()
                raise result

    async def prepare(self) -> None:
        """End what a crash left in this folder, and find out where the servers come from (this may install one)."""
        end_strays(self.folder.path)
        if self._given.amqp_url:
            self.rabbitmq = rabbitmq.given(self._given.amqp_url, self._given.amqp_management_url)
        else:
            self.rabbitmq = rabbitmq.find(self.folder, self.ports, self.credentials, self._say, durable=self._durable)
        if self._given.postgres_url:
            self.postgres = postgres.Postgres(self._given.postgres_url)
        else:
            self.postgres = postgres.embedded(
                self.folder, self.ports, self.credentials, self._say, durable=self._durable
            )

    async def stop(self) -> None:
        """Stop what was started, the broker and the database side by side, the broker's name service last."""
        await self.supervisor.stop_all(["rabbitmq", "postgres"])

    @property
    def private(self) -> bool:
        """Whether both end with this object, so that nothing needs to be cleaned up in them."""
        return bool(self.rabbitmq.programs and self.postgres.programs)

    async def start_rabbitmq(self) -> None:
        """Start the broker, if it is ours to start; returns when it serves."""
        for program in self.rabbitmq.programs:
            await self.supervisor.start(program)

    async def start_postgres(self) -> None:
        """Start the database server, if it is ours to start; returns when it serves."""
        for program in self.postgres.programs:
            await self.supervisor.start(program)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
