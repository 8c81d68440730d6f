"""One queue and its handlers: decode, handle, ack; retry ladder and dead letters; pause while a dependency is down."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustQueue
from aiormq import Channel, ChannelInvalidStateError
from blazz_contracts import Envelope, Event
from blazz_contracts.topology import Queue

from blazz_chassis import context, metrics, tracing
from blazz_chassis.acks import Acks
from blazz_chassis.errors import BlazzError, BrokerUnavailable, DependencyDown, Permanent, Unroutable
from blazz_chassis.gate import Gate
from blazz_chassis.incoming import (
    DIED_AT,
    ERROR,
    ERROR_CODE,
    MAX_ERROR,
    MAX_TRACEBACK,
    QUEUE,
    REASON,
    TRACEBACK,
    TRIES,
    Undecodable,
    again,
    envelope_of,
    event_of,
    tries_of,
)
from blazz_chassis.outgoing import Header, Outgoing
from blazz_chassis.publisher import Publisher

log = structlog.get_logger(__name__)

_STILL = 0.2  # seconds without a delivery after which none is on its way, even from a busy broker
_STILL_LIMIT = 1.0  # seconds to wait for that

Handler = Callable[[Any, Envelope], Awaitable[object]]


class Subscription:
    """The handlers of one queue, by event type, and what happens around them. Made by `Consumer.on`."""

    def __init__(self, queue: Queue, publisher: Publisher, *, concurrency: int, hold: float) -> None:
        self.queue, self.concurrency = queue, concurrency
        self.handlers: dict[str, tuple[type[Event], Handler]] = {}
        self.gate = Gate(queue.name, hold=hold, retreat=self.cancel, resume=self.resume)
        self.running = 0
        self._came = 0
        self._acks: Acks | None = None
        self._may_settle = asyncio.Event()
        self._may_settle.set()
        self._publisher = publisher
        self._idle = asyncio.Event()
        self._idle.set()
        self._amqp: AbstractRobustQueue | None = None
        self._receive: Callable[[Any], Awaitable[Any]] | None = None
        self._consumed = metrics.consumed.labels(queue.name)
        self._seconds = metrics.handling_seconds.labels(queue.name)

    # --- the consumer on the broker

    def attach(self, amqp: AbstractRobustQueue, receive: Callable[[Any], Awaitable[Any]]) -> None:
        """Take the queue object that consumes, and its callback."""
        self._amqp, self._receive = amqp, receive

    async def tags(self) -> list[str]:
        """Consumer tags registered now; empty while the connection is away or the queue is gone."""
        if self._amqp is None or self._amqp.channel.is_closed:
            return []
        channel = await self._amqp.channel.get_underlay_channel()
        return list(channel.consumers)  # type: ignore[attr-defined]

    async def registered(self, within: float = 1.0) -> bool:
        """Whether the broker delivers to us."""
        with suppress(Exception):
            async with asyncio.timeout(within):
                return bool(await self.tags())
        return False

    async def cancel(self) -> None:
        """Stop deliveries; what was delivered goes on.

        A quorum queue puts back, with one delivery counted, what is on its way to a consumer while that is cancelled
        (RabbitMQ 3.10, measured). So acks are held for a moment, until prefetch has stilled the flow.
        """
        tags = await self.tags()
        if self._amqp is None or not tags:
            return
        self._may_settle.clear()
        try:
            await self._stilled()
            for tag in tags:
                await self._amqp.cancel(tag)
        finally:
            self._may_settle.set()

    async def _stilled(self) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + _STILL_LIMIT
        while loop.time() < limit:
            came = self._came
            await asyncio.sleep(_STILL)
            if came == self._came:
                return

    async def resume(self) -> None:
        """Start deliveries again after `cancel`."""
        if self._amqp is not None and self._receive is not None and not await self.tags():
            await self._amqp.consume(self._receive)

    async def drained(self) -> None:
        """Wait until no handler runs."""
        await self._idle.wait()
        if self._acks is not None:
            await self._acks.flushed()

    # --- one message

    async def receive(self, message: AbstractIncomingMessage) -> None:
        """Handle one delivery to its end: acked, in a retry queue, dead, or put back."""
        try:
            acks = self._acks_of(message)
        except ChannelInvalidStateError:
            return  # delivered by a channel that is gone: it comes again
        self.running += 1
        self._came += 1
        self._idle.clear()
        started = time.perf_counter()
        try:
            await self._receive_one(message, acks)
        except Exception:
            log.exception("delivery_failed", queue=self.queue.name, message_id=message.message_id)
            await self._settle(message, acks, "requeue")
        finally:
            self._seconds.observe(time.perf_counter() - started)
            self.running -= 1
            if self.running == 0:
                self._idle.set()

    async def _receive_one(self, message: AbstractIncomingMessage, acks: Acks) -> None:
        try:
            envelope = envelope_of(message)
            if envelope.type not in self.handlers:
                raise Undecodable(f"{self.queue.name} has no handler for {envelope.type!r}", code="unexpected_type")
            kind, handler = self.handlers[envelope.type]
            event = event_of(message, kind)
        except Undecodable as error:
            await self._bury(message, acks, error, error.code)
            return
        with (
            context.correlated(envelope.correlation_id or None, envelope.traceparent, message_id=message.message_id),
            tracing.span(f"{self.queue.name} process", envelope.traceparent, kind="consumer"),
        ):
            while await self.gate.passed():
                try:
                    await handler(event, envelope)
                except DependencyDown as error:
                    self.gate.shut(error)
                except Permanent as error:
                    await self._bury(message, acks, error, error.code)
                    return
                except Exception as error:
                    await self._retry(message, acks, error)
                    return
                else:
                    self.gate.went_well()
                    if await self._settle(message, acks, "ack"):
                        self._consumed.inc()
                    return
            await self._settle(message, acks, "requeue")

    async def _retry(self, message: AbstractIncomingMessage, acks: Acks, error: Exception) -> None:
        tries = tries_of(message) + 1
        steps = self.queue.steps
        if tries > len(steps):
            await self._bury(message, acks, error, "tries_used_up")
            return
        step = steps[tries - 1]
        log.warning(
            "message_retried",
            queue=self.queue.name,
            type=message.type,
            message_id=message.message_id,
            tries=tries,
            delay=step.delay.total_seconds(),
            exc_info=error,
        )
        await self._move(
            message,
            acks,
            again(
                message,
                step.key(message.routing_key or ""),
                {TRIES: tries, **_described(error)},
                exchange=step.exchange,
            ),
        )
        metrics.retried.labels(self.queue.name).inc()

    async def _bury(self, message: AbstractIncomingMessage, acks: Acks, error: Exception, reason: str) -> None:
        tries = tries_of(message) + (0 if isinstance(error, Undecodable) else 1)
        log.error(
            "message_dead",
            queue=self.queue.name,
            type=message.type,
            message_id=message.message_id,
            reason=reason,
            tries=tries,
            exc_info=error,
        )
        trace = "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]
        await self._move(
            message,
            acks,
            again(
                message,
                self.queue.dead,
                {
                    **_described(error),
                    TRIES: tries,
                    REASON: reason,
                    QUEUE: self.queue.name,
                    TRACEBACK: trace,
                    DIED_AT: int(time.time()),
                },
            ),
        )
        metrics.dead.labels(self.queue.name, reason).inc()

    async def _move(self, message: AbstractIncomingMessage, acks: Acks, copy: Outgoing) -> None:
        """Publish the copy with a confirm, then ack the original; hold it as long as that cannot be done."""
        while True:
            try:
                await self._publisher.send(copy)
            except Unroutable:
                # The queue was deleted; nothing may be lost for that.
                with suppress(BrokerUnavailable):
                    await self._publisher.redeclare()
                self.gate.shut(BrokerUnavailable(f"there is no queue {copy.routing_key}", probe=self._publisher.probe))
            except DependencyDown as error:
                self.gate.shut(error)
            else:
                await self._settle(message, acks, "ack")
                return
            if not await self.gate.passed():
                await self._settle(message, acks, "requeue")
                return

    def _acks_of(self, message: AbstractIncomingMessage) -> Acks:
        channel = cast("Channel", message.channel)
        if self._acks is None or self._acks.channel is not channel:
            self._acks = Acks(channel)  # a new connection: the old one's deliveries come again
        assert message.delivery_tag is not None
        self._acks.delivered(message.delivery_tag)
        return self._acks

    async def _settle(self, message: AbstractIncomingMessage, acks: Acks, how: str) -> bool:
        if not self._may_settle.is_set():
            await self._may_settle.wait()
        tag = message.delivery_tag
        assert tag is not None
        try:
            if acks.channel.is_closed:
                raise ConnectionError("the channel is closed")
            if how == "ack":
                acks.ack(tag)
            else:
                await acks.put_back(tag)
        except Exception as error:
            # The channel it came on is gone; the broker delivers it again, and handlers know it by its id or key.
            log.info("settle_lost", queue=self.queue.name, how=how, message_id=message.message_id, error=repr(error))
            return False
        return True


def _described(error: Exception) -> dict[str, Header]:
    code = error.code if isinstance(error, BlazzError) else type(error).__name__
    return {ERROR: (str(error) or type(error).__name__)[:MAX_ERROR], ERROR_CODE: code}
