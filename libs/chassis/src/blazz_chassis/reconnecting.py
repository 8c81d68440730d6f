"""A connection to the broker that comes back by itself: connected, kept, lost, connected again, for ever."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from pydantic import SecretStr

from blazz_chassis.topology import connection_url

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT = 5.0  # seconds
PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)  # seconds between attempts to connect; the last one again and again


class Reconnecting(ABC):
    """One connection. A subclass says what is set up on it (`_connect`) and sets `_open` when that is done."""

    def __init__(self, url: str | SecretStr, *, name: str) -> None:
        """`name` is the connection's, as the broker's management page shows it."""
        plain = url.get_secret_value() if isinstance(url, SecretStr) else url
        self._url, self._name = connection_url(plain, name), name
        self._connection: AbstractConnection | None = None
        self._open, self._lost = asyncio.Event(), asyncio.Event()

    @abstractmethod
    async def _connect(self) -> None:
        """Set up all that is needed, on `_connected()`, and set `_open`."""

    async def _keep(self) -> None:
        """Return when the connection, or what is on it, is lost."""
        await self._lost.wait()

    @abstractmethod
    def _forget(self) -> None:
        """The connection is gone: forget what was on it."""

    def _report_loss(self, *_: object) -> None:
        """Something is lost: set it up anew."""
        self._open.clear()
        self._lost.set()

    async def _connected(self) -> AbstractConnection:
        """A new connection, instead of the one there was; it reports its loss."""
        if self._connection is not None:
            await self._disconnect()
            self._lost.clear()  # the end of the old one was told too
        connection = await aio_pika.connect(self._url, timeout=CONNECT_TIMEOUT)
        self._connection = connection
        connection.close_callbacks.add(self._report_loss)
        return connection

    async def _supervise(self) -> None:
        attempt = 0
        while True:
            try:
                self._lost.clear()
                await self._connect()
                attempt = 0
                await self._keep()
                log.warning("broker_connection_lost", connection=self._name)
            except Exception as error:
                pause = PAUSES[min(attempt, len(PAUSES) - 1)]
                attempt += 1
                log.warning(
                    "broker_connect_failed",
                    connection=self._name,
                    error=repr(error),
                    attempt=attempt,
                    again_in=pause,
                )
                await self._disconnect()
                await asyncio.sleep(pause)

    async def _disconnect(self) -> None:
        self._open.clear()
        connection, self._connection = self._connection, None
        self._forget()
        if connection is not None:
            with suppress(Exception):
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await connection.close()
