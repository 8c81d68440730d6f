"""Publishing, the one way: persistent, confirmed, within a time limit, on a connection of its own."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import cast
from uuid import UUID

import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPChannelError, DeliveryError, PublishError
from aiormq import Channel as WireChannel
from blazz_contracts import Event
from blazz_contracts.topology import EXCHANGES, Address, Queue
from pydantic import SecretStr

from blazz_chassis import metrics, outgoing
from blazz_chassis.errors import BlazzError, BrokerUnavailable, MessageTooLarge, Unroutable
from blazz_chassis.outgoing import Outgoing
from blazz_chassis.reconnecting import CONNECT_TIMEOUT, Reconnecting
from blazz_chassis.topology import declare

log = structlog.get_logger(__name__)

_REDECLARE = 10.0  # seconds between attempts when the broker refuses the topology


class Publisher(Reconnecting):
    """Publishes events with confirms, many at once, and reconnects by itself.

    A connection that breaks while a message waits for its confirm does not fail the publish: it is sent again, with the
    same message id, until the time limit. So a confirm may come for a message that is there twice; consumers know it by
    its id.
    """

    def __init__(
        self,
        url: str | SecretStr,
        *,
        service: str,
        queues: Sequence[Queue] = (),
        timeout: float = 5.0,
        in_flight: int = 500,
        largest: int = 8_000_000,
        retry_scale: float = 1.0,
    ) -> None:
        """`queues` are the service's own, declared with the exchanges at every connection; `timeout` is in seconds.

        `largest`: bytes of a body, less than the broker takes.
        """
        super().__init__(url, name=f"{service} publish")
        self._queues = list(queues)
        self._scale = retry_scale
        self._known = {"", *(exchange.name for exchange in EXCHANGES)}
        self._largest = largest
        self._slots = asyncio.Semaphore(in_flight)
        self._window = max(1, in_flight // 2)  # of one list under way at once; the other slots are for others
        self._channel: WireChannel | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self.declared = asyncio.Event()
        self.declare_error: str | None = None
        self.service = service
        self.timeout = timeout

    async def start(self) -> None:
        """Begin to connect, in the background; return at once."""
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise(), name="publisher")

    async def stop(self) -> None:
        """Close the connection. Publishes that wait for a confirm fail; stop those who publish first."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._disconnect()

    @property
    def connected(self) -> bool:
        """Whether there is an open channel now."""
        return self._open.is_set() and self._channel is not None and not self._channel.is_closed

    @property
    def blocked(self) -> bool:
        """Whether the broker refuses publishes (memory or disk alarm)."""
        if self._channel is None:
            return False
        # aiormq's `ready` waits for the unblocked state; run to its first suspension, it tells whether it would wait.
        waiting = self._channel.connection.ready()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        waiting.close()
        return True

    async def probe(self) -> None:
        """Return when publishing is possible; raise `BrokerUnavailable` when it is not."""
        if not self.connected or self.blocked:
            raise BrokerUnavailable(probe=self.probe)

    async def publish(self, event: Event, *, to: Address | None = None, message_id: UUID | None = None) -> UUID:
        """Publish one event and return its message id when the broker has confirmed it.

        Raises `Unroutable` when a command reaches no queue, `MessageTooLarge`, and `BrokerUnavailable` when no confirm
        came within the time limit (it may have been taken all the same), all before anything else was done.
        """
        message = outgoing.of(event, app_id=self.service, to=to, message_id=message_id)
        await self.send(message)
        return UUID(message.message_id)

    async def publish_many(self, events: Iterable[Event | tuple[Event, Address]]) -> list[UUID]:
        """Publish events concurrently, in this order; return their message ids when all are confirmed.

        Raises what `publish` raises, for the first that failed, after all have been tried.
        """
        messages = [
            outgoing.of(event[0], app_id=self.service, to=event[1])
            if isinstance(event, tuple)
            else outgoing.of(event, app_id=self.service)
            for event in events
        ]
        await self.send_many(messages)
        return [UUID(message.message_id) for message in messages]

    async def send_many(self, messages: Sequence[Outgoing]) -> None:
        """Send messages concurrently, in this order. Raises for the first that failed after all have been tried."""
        for result in await self.send_each(messages):
            if result is not None:
                raise result

    async def send_each(self, messages: Sequence[Outgoing]) -> list[BaseException | None]:
        """Send messages concurrently, in this order; return for each what `send` raised, or None."""
        if len(messages) == 1:
            try:
                await self.send(messages[0])
            except BlazzError as error:
                return [error]
            return [None]
        # No more at once than can be under way: the time limit of one does not run while it stands in line here.
        window = asyncio.Semaphore(self._window)

        async def one(message: Outgoing) -> None:
            try:
                await self.send(message)
            finally:
                window.release()

        tasks: list[asyncio.Task[None]] = []
        try:
            for message in messages:
                await window.acquire()
                tasks.append(asyncio.create_task(one(message)))
            return await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise

    def check_size(self, message: Outgoing) -> None:
        """Raise `MessageTooLarge` for what `send` would refuse."""
        if len(message.body) > self._largest:
            metrics.publish_failed.labels("too_large").inc()
            raise MessageTooLarge(
                f"{message.type} has {len(message.body):,} bytes; one message may have {self._largest:,}"
            )

    async def send(self, message: Outgoing, *, any_size: bool = False) -> None:
        """Send one message. Raises as `publish` does. `any_size`: the broker has taken this body before."""
        if not any_size:
            # Refused by the broker it would close the channel, and be sent again on the next one, and the next.
            self.check_size(message)
        if message.exchange not in self._known:
            # A publish to an exchange that is not there closes the channel under everybody's feet.
            metrics.publish_failed.labels("unknown_exchange").inc()
            raise Unroutable(f"there is no exchange {message.exchange!r} in the topology")
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.timeout), self._slots:
                await self._send(message)
        except TimeoutError as error:
            metrics.publish_failed.labels("timeout").inc()
            raise BrokerUnavailable("the broker did not confirm in time; try again", probe=self.probe) from error
        metrics.publish_seconds.observe(time.perf_counter() - started)
        metrics.published.labels(message.type).inc()

    async def _send(self, message: Outgoing) -> None:
        while True:
            channel = await self._usable()
            try:
                await channel.basic_publish(
                    message.body,
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    properties=message.properties(),
                    mandatory=message.mandatory,
                    # Not until it is written, only until it is confirmed: how many wait is bounded anyway.
                    wait=False,
                )
            except PublishError as error:
                metrics.publish_failed.labels("unroutable").inc()
                raise Unroutable(f"no queue takes {message.routing_key!r} of {message.exchange!r}") from error
            except DeliveryError as error:
                metrics.publish_failed.labels("refused").inc()
                raise BrokerUnavailable("the queue is full; try again", probe=self.probe) from error
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # aiormq rejects what waits on a connection it gave up with CancelledError, though nobody cancelled us.
                await self._after_loss(channel, None)
            except (ValueError, TypeError, BlazzError):
                raise
            except Exception as error:
                await self._after_loss(channel, error)
            else:
                return

    async def _usable(self) -> WireChannel:
        while True:
            await self._open.wait()
            channel = self._channel
            if channel is None or channel.is_closed:
                self._report_loss()
                await asyncio.sleep(0)
                continue
            await channel.connection.ready()
            return channel

    async def _after_loss(self, channel: WireChannel, error: Exception | None) -> None:
        log.info("publish_interrupted", error=repr(error))
        if channel is self._channel:
            self._report_loss()
        await asyncio.sleep(0)

    async def _connect(self) -> None:
        """Open a channel: on the connection there is, or on a new one."""
        connection = self._connection
        if connection is None or connection.transport is None or connection.transport.connection.is_closed:
            connection = await self._connected()
        await self._declare(connection)
        async with asyncio.timeout(CONNECT_TIMEOUT):
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            channel.close_callbacks.add(self._report_loss)
            self._channel = cast("WireChannel", await channel.get_underlay_channel())
        self._open.set()
        log.info("publisher_connected")

    async def _declare(self, connection: AbstractConnection) -> None:
        # Commands to others need no queue of theirs declared here: mandatory tells when there is none.
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT * 4):
                async with connection.channel(publisher_confirms=False) as channel:
                    await declare(channel, self._queues, scale=self._scale)
        except AMQPChannelError as error:
            # Publishing still works; readiness tells, and it is tried again.
            self.declare_error = str(error)
            self.declared.clear()
            log.error("topology_refused", error=self.declare_error)
        else:
            self.declare_error = None
            self.declared.set()

    async def redeclare(self) -> None:
        """Declare the topology again (a queue of it was deleted). Raises `BrokerUnavailable` when not connected."""
        if self._connection is None or not self.connected:
            raise BrokerUnavailable(probe=self.probe)
        await self._declare(self._connection)

    async def _keep(self) -> None:
        """Return when the channel or the connection is lost."""
        while not self._lost.is_set():
            if self.declare_error is None:
                await self._lost.wait()
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_REDECLARE):
                    await self._lost.wait()
                    return
            if self._connection is not None:
                await self._declare(self._connection)

    def _forget(self) -> None:
        self._channel = None
