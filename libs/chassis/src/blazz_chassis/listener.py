"""What one instance hears for itself: an exclusive queue as long-lived as its connection, bound as listeners come."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustQueue
from blazz_contracts import Envelope, Event
from blazz_contracts.topology import EVENTS
from faststream import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from blazz_chassis import context, metrics
from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.incoming import Undecodable, envelope_of, event_of

log = structlog.get_logger(__name__)

_BIND_TIMEOUT = 5.0  # seconds; a binding takes half a millisecond (measured)


class Listener:
    """Events for this instance alone, without acks: what is missed while the connection is away is not repeated.

    The truth is elsewhere (the change feed); this is the fast path to a websocket or a request that waits.
    """

    def __init__(self, name: str, handler: Callable[[Any, Envelope], Awaitable[object]], *events: type[Event]) -> None:
        """`name` is the queue's; it begins with the service's name and ends in the instance's."""
        self.name = name
        self._handler = handler
        self.kinds = {event.name: event for event in events}
        self._wanted: dict[str, int] = {}  # binding keys, and how many want them
        self._lock = asyncio.Lock()
        self._amqp: AbstractRobustQueue | None = None
        self.reconnected: Callable[[], Awaitable[None]] | None = None
        self._consumed = metrics.consumed.labels("listener")

    def queue(self) -> RabbitQueue:
        """The queue as FastStream declares it."""
        return RabbitQueue(
            self.name,
            queue_type=QueueType.CLASSIC,
            durable=False,
            exclusive=True,
            auto_delete=True,
            # The oldest go: who cannot keep up catches up elsewhere.
            arguments=cast("Any", {"x-max-length": 100_000, "x-overflow": "drop-head"}),
        )

    def subscribe(self, broker: RabbitBroker, queue: RabbitQueue) -> None:
        """Add this listener's subscriber to a broker that has not started."""
        subscriber = broker.subscriber(
            queue, channel=Channel(prefetch_count=1000), ack_policy=AckPolicy.ACK_FIRST, decoder=_raw, no_reply=True
        )
        subscriber(self._receiver())

    def _receiver(self) -> Callable[[AbstractIncomingMessage], Awaitable[None]]:
        async def receive(message: AbstractIncomingMessage) -> None:
            await self._receive(message)

        return receive

    async def attach(self, amqp: AbstractRobustQueue) -> None:
        """Take the queue object; bind what was wanted before there was one."""
        async with self._lock:
            self._amqp = amqp
            for key in self._wanted:
                await amqp.bind(EVENTS.name, key)

    async def want(self, workspace_id: UUID, *events: type[Event]) -> None:
        """Hear these events (all of the listener's, when none are named) of this workspace; bound when this returns.

        Counted: each `want` needs its `unwant`. Raises `BrokerUnavailable` when it cannot be bound now; then it is
        not wanted.
        """
        keys = self._keys(workspace_id, events)
        async with self._lock:
            fresh = [key for key in keys if self._wanted.get(key, 0) == 0]
            await self._each(fresh, "bind")
            for key in keys:
                self._wanted[key] = self._wanted.get(key, 0) + 1

    async def unwant(self, workspace_id: UUID, *events: type[Event]) -> None:
        """Hear them no more, once nobody wants them. A broker that is away forgets them by itself."""
        async with self._lock:
            stale = []
            for key in self._keys(workspace_id, events):
                self._wanted[key] = self._wanted.get(key, 0) - 1
                if self._wanted[key] <= 0:
                    del self._wanted[key]
                    stale.append(key)
            try:
                await self._each(stale, "unbind")
            except BrokerUnavailable:
                log.info("unbind_skipped", keys=len(stale))

    def _keys(self, workspace_id: UUID, events: tuple[type[Event], ...]) -> list[str]:
        names = [event.name for event in events] or list(self.kinds)
        return [f"{name}.{workspace_id}" for name in names]

    async def _each(self, keys: list[str], what: str) -> None:
        if not keys:
            return
        if self._amqp is None:
            raise BrokerUnavailable("not connected to the message broker yet; try again")
        try:
            async with asyncio.timeout(_BIND_TIMEOUT):
                for key in keys:
                    if what == "bind":
                        await self._amqp.bind(EVENTS.name, key)
                    else:
                        await self._amqp.unbind(EVENTS.name, key)
        except Exception as error:
            raise BrokerUnavailable from error

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        try:
            envelope = envelope_of(message)
            kind = self.kinds.get(envelope.type)
            if kind is None:
                return
            event = event_of(message, kind)
        except Undecodable as error:
            log.warning("listener_undecodable", queue=self.name, detail=error.detail)
            return
        with context.correlated(envelope.correlation_id or None, envelope.traceparent):
            try:
                await self._handler(event, envelope)
            except Exception:
                log.exception("listener_failed", queue=self.name, type=envelope.type)
            else:
                self._consumed.inc()


async def _raw(message: Any) -> Any:
    return message.raw_message
