"""What one instance alone listens to: an exclusive queue whose bindings come and go while it runs.

For listeners whose interest changes by the minute (websocket subscribers, requests with `Prefer: wait`). It is best
effort by design: the queue lives as long as its connection. Whoever may have missed something hears of it (`on_gap`).
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from blazz_contracts import Event
from blazz_contracts.topology import EVENTS
from prometheus_client import Counter, Gauge, Histogram
from pydantic import SecretStr

from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.event_handlers import EventHandlers, H, failed
from blazz_chassis.reconnecting import CONNECT_TIMEOUT, Reconnecting
from blazz_chassis.topology import declare

log = structlog.get_logger(__name__)

_DROPPED_PAUSE = 1.0  # seconds between two reports that the queue overflows: each one makes clients catch up

bind_seconds = Histogram(
    "blazz_instance_queue_bind_seconds",
    "From asking for a binding to having it",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
bindings = Gauge("blazz_instance_queue_bindings", "Routing keys the instance's queue is bound with")
gaps = Counter("blazz_instance_queue_gaps", "Times something may have been missed", ["reason"])


class InstanceQueue(Reconnecting):
    """A classic, exclusive, auto-deleted queue on a connection of its own, declared and bound anew after every loss.

    Handlers run one at a time, in the broker's order. A message is acked when it was handed over, whatever came of it:
    there is no retry, and what cannot be decoded is logged and dropped.

    The queue holds `max_length` messages, then drops its oldest: a listener that lags wants the newest, and the
    broker's memory is everybody's. What it drops goes through a second queue of length 1: no drop goes unnoticed.
    """

    def __init__(
        self,
        url: str | SecretStr,
        *,
        service: str,
        instance: str,
        prefetch: int = 200,
        max_length: int = 20_000,
        bind_timeout: float = 5.0,
        always: Iterable[str] = (),
        on_gap: Callable[[str], Awaitable[object]] | None = None,
    ) -> None:
        """`on_gap(reason)` runs in order with the handlers, after a reconnect (`reconnected`) or a drop (`overflow`).

        `bind_timeout` is in seconds. `always`: routing keys that are bound from the start.
        """
        super().__init__(url, name=f"{service} instance")
        self._prefix = f"{service}.instance.{re.sub(r'[^A-Za-z0-9_-]', '-', instance)}"
        self._prefetch, self._max_length, self._bind_timeout = prefetch, max_length, bind_timeout
        self.on_gap = on_gap
        self._handlers = EventHandlers()
        self._wanted: set[str] = set(always)
        self._bound: set[str] = set()
        self._one_at_a_time = asyncio.Lock()
        self._applying: set[asyncio.Task[None]] = set()
        self._queue: AbstractQueue | None = None
        self._lost_at: float | None = None
        self.away_seconds = 0.0
        """How long it listened to nothing before it last began to."""
        self._connected_before = False
        self._line: asyncio.Queue[AbstractIncomingMessage | str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    # --- what it listens to

    def on(self, *events: type[Event]) -> Callable[[H], H]:
        """Decorate a handler `async def handler(event, envelope)` for these events. Others are dropped unread."""
        return self._handlers.on(*events)

    def bound(self, key: str) -> bool:
        """Whether events with this routing key reach us now, and go on to."""
        return self._open.is_set() and key in self._bound and key in self._wanted

    async def bind(self, key: str) -> None:
        """Return when events whose routing key matches (topic pattern) reach this instance.

        Raises `BrokerUnavailable` when that takes longer than `bind_timeout`, or the broker has been away for so long
        already. The key stays wanted: it is bound when the broker is back, unless `unbind` takes it back.
        """
        self._wanted.add(key)
        if self.bound(key):
            return
        started = time.perf_counter()
        patience = self._bind_timeout
        if self._lost_at is not None:
            patience -= time.monotonic() - self._lost_at
        try:
            async with asyncio.timeout(max(patience, 0.0)):
                while not self.bound(key) and key in self._wanted:
                    await self._open.wait()
                    await self._apply_apart(key)
        except TimeoutError as error:
            raise BrokerUnavailable(
                "the broker does not answer; events cannot be listened to now", probe=self.probe
            ) from error
        if not self.bound(key):
            raise BrokerUnavailable("the binding was taken back meanwhile", probe=self.probe)
        bind_seconds.observe(time.perf_counter() - started)

    async def unbind(self, key: str) -> None:
        """Stop listening to this key. Returns at once with the broker away."""
        self._wanted.discard(key)
        if key in self._bound and self._open.is_set():
            await self._apply_apart(key)

    async def _apply_apart(self, key: str) -> None:
        # In a task of its own: a cancelled call would close the channel, and with it the queue.
        task = asyncio.create_task(self._apply(key))
        self._applying.add(task)
        task.add_done_callback(self._applying.discard)
        await asyncio.shield(task)

    async def _apply(self, key: str) -> None:
        """Bring the broker in line with what is wanted of this key, whatever was asked for in between."""
        async with self._one_at_a_time:
            queue = self._queue
            if queue is None or not self._open.is_set():
                return
            try:
                if key in self._wanted and key not in self._bound:
                    await queue.bind(EVENTS.name, key, timeout=CONNECT_TIMEOUT)
                    self._bound.add(key)
                elif key not in self._wanted and key in self._bound:
                    self._bound.discard(key)
                    await queue.unbind(EVENTS.name, key, timeout=CONNECT_TIMEOUT)
            except Exception as error:
                log.info("binding_interrupted", key=key, error=repr(error))
                self._report_loss()
            finally:
                bindings.set(len(self._bound))

    # --- its life

    @property
    def connected(self) -> bool:
        """Whether the queue is there, bound and consumed."""
        return self._open.is_set()

    async def probe(self) -> None:
        """Return when the queue is consumed; raise `BrokerUnavailable` when it is not."""
        if not self.connected:
            raise BrokerUnavailable(probe=self.probe)

    async def start(self) -> None:
        """Begin to connect, in the background; return at once."""
        if not self._tasks:
            self._lost_at = time.monotonic()
            self._tasks = [
                asyncio.create_task(self._supervise(), name="instance-queue"),
                asyncio.create_task(self._deliver(), name="instance-queue-deliver"),
            ]

    async def stop(self) -> None:
        """Close the connection; the broker deletes the queue with it."""
        running, self._tasks = set(self._tasks), []
        while running:
            # Again and again: the `wait_for` of Python 3.11, in the libraries below, can lose a cancellation.
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=0.5)
        await self._disconnect()

    async def _keep(self) -> None:
        await super()._keep()
        # Of a connection that lost its channel alone, the queue would stay.
        raise ConnectionError("the queue is lost")

    async def _connect(self) -> None:
        connection = await self._connected()
        async with asyncio.timeout(CONNECT_TIMEOUT * 4), connection.channel(publisher_confirms=False) as channel:
            await declare(channel, ())
        async with asyncio.timeout(CONNECT_TIMEOUT):
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=self._prefetch)
            self._queue = await self._declare(connection, channel)
        # Bound first, consumed then: nothing arrives before all of it does.
        while missing := self._wanted - self._bound:
            for key in missing:
                await self._queue.bind(EVENTS.name, key, timeout=CONNECT_TIMEOUT)
                self._bound.add(key)
        bindings.set(len(self._bound))
        await self._queue.consume(self._receive, timeout=CONNECT_TIMEOUT)
        if self._lost.is_set():
            raise ConnectionError("lost while it was set up")
        self.away_seconds = time.monotonic() - self._lost_at if self._lost_at is not None else 0.0
        self._lost_at = None
        self._open.set()
        log.info("instance_queue_ready", queue=self._queue.name, bindings=len(self._bound))
        if self._connected_before:
            self._note_gap("reconnected")
        self._connected_before = True
        for key in self._bound - self._wanted:
            await self._apply_apart(key)  # taken back while it was being bound

    async def _declare(self, connection: AbstractConnection, channel: AbstractChannel) -> AbstractQueue:
        # A new name each time: until the broker has noticed that the last connection is dead, its queue is locked.
        name = f"{self._prefix}.{secrets.token_hex(4)}"
        dropped = f"{name}.dropped"
        aside = await connection.channel(publisher_confirms=False)
        await aside.set_qos(prefetch_count=1)
        overflow = await aside.declare_queue(
            dropped, exclusive=True, auto_delete=True, arguments={"x-max-length": 1, "x-overflow": "drop-head"}
        )
        await overflow.consume(self._receive_dropped)
        queue = await channel.declare_queue(
            name,
            exclusive=True,
            auto_delete=True,
            arguments={
                "x-max-length": self._max_length,
                "x-overflow": "drop-head",
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": dropped,
            },
        )
        for each in (channel, aside):
            each.close_callbacks.add(self._report_loss)
            wire = await each.get_underlay_channel()
            wire.on_consumer_cancel_callbacks.add(self._report_loss)
        return queue

    def _forget(self) -> None:
        self._lost_at = self._lost_at or time.monotonic()
        self._queue = None
        self._bound.clear()
        bindings.set(0)

    # --- deliveries

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        self._line.put_nowait(message)

    async def _receive_dropped(self, message: AbstractIncomingMessage) -> None:
        self._note_gap("overflow")
        # Not acked before the pause is over: the next drop is reported then, however many there were.
        await asyncio.sleep(_DROPPED_PAUSE)
        with suppress(Exception):
            await message.ack()

    def _note_gap(self, reason: str) -> None:
        gaps.labels(reason).inc()
        log.warning("instance_queue_gap", reason=reason)
        if self.on_gap is not None:
            self._line.put_nowait(reason)

    async def _deliver(self) -> None:
        unacked = 0
        while True:
            item = await self._line.get()
            try:
                if isinstance(item, str):
                    if self.on_gap is not None:
                        await self.on_gap(item)
                    continue
                await self._handlers.handle(item)
            except Exception:
                failed.labels("handler").inc()
                log.exception("instance_delivery_failed", item=item if isinstance(item, str) else item.type)
            if isinstance(item, str):
                continue
            unacked += 1
            # One ack for many: at once when nothing waits, else before half of the prefetch is used up.
            if self._line.empty() or unacked * 2 >= self._prefetch:
                unacked = 0
                # It fails when the delivery came on a channel that is gone; then there is nothing to ack.
                with suppress(Exception):
                    await item.ack(multiple=True)
