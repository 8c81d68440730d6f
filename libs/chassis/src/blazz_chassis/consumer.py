"""Consuming: a FastStream broker on a connection of its own; prefetch is the concurrency; ack after the handler."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

import structlog
from aio_pika.abc import AbstractIncomingMessage
from blazz_contracts import Event
from blazz_contracts.topology import Queue
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from pydantic import SecretStr

from blazz_chassis.publisher import Publisher
from blazz_chassis.subscription import Handler, Subscription
from blazz_chassis.topology import connection_url

log = structlog.get_logger(__name__)

H = TypeVar("H", bound=Handler)

_RECONNECT = 1.0  # seconds
_START_AGAIN = 2.0  # seconds between attempts to subscribe when the broker refuses
_CLOSE_TIMEOUT = 5.0


class Consumer:
    """The queues a service consumes. Handlers are added with `on` before `start`."""

    def __init__(self, url: str | SecretStr, publisher: Publisher, *, service: str, hold: float = 600.0) -> None:
        """`publisher` moves messages to retry and dead queues. `hold`: see `Gate`."""
        plain = url.get_secret_value() if isinstance(url, SecretStr) else url
        self._url = connection_url(plain, f"{service} consume")
        self._publisher, self._hold = publisher, hold
        self._broker: RabbitBroker | None = None
        self._starting: asyncio.Task[None] | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.service = service
        self.start_error: str | None = None
        self.started = asyncio.Event()

    def on(self, queue: Queue, *events: type[Event], concurrency: int = 100) -> Callable[[H], H]:
        """Decorate a handler `async def handler(event, envelope)` for these events of this queue.

        A queue may have several handlers, one an event type. `concurrency` is the queue's prefetch (the largest one
        given counts). The message is acked when the handler returns; see the module docs on what its errors do.
        """
        if not events:
            raise ValueError("name the events this handler takes")
        subscription = self.subscriptions.get(queue.name)
        if subscription is None:
            subscription = Subscription(queue, self._publisher, concurrency=concurrency, hold=self._hold)
            self.subscriptions[queue.name] = subscription
        subscription.concurrency = max(subscription.concurrency, concurrency)

        def add(handler: H) -> H:
            for event in events:
                if event.name in subscription.handlers:
                    raise ValueError(f"{queue.name} has a handler for {event.name} already")
                subscription.handlers[event.name] = (event, handler)
            return handler

        return add

    async def start(self) -> None:
        """Begin to connect and subscribe, in the background; return at once."""
        if self._starting is None and self.subscriptions:
            self._starting = asyncio.create_task(self._start(), name="consumer-start")

    async def _start(self) -> None:
        await self._publisher.declared.wait()
        while True:
            try:
                await self._subscribe()
            except Exception as error:
                self.start_error = repr(error)
                log.error("subscribe_failed", error=self.start_error, again_in=_START_AGAIN)
                await self._close()
                await asyncio.sleep(_START_AGAIN)
            else:
                self.start_error = None
                self.started.set()
                log.info("consuming", queues=sorted(self.subscriptions))
                return

    async def _subscribe(self) -> None:
        # fail_fast=False: the first connection is awaited as patiently as every later one.
        broker = RabbitBroker(
            self._url,
            fail_fast=False,
            reconnect_interval=_RECONNECT,
            # We drain before we stop; what still runs then has had its time.
            graceful_timeout=0.01,
            app_id=self.service,
            logger=None,
            apply_types=False,
        )
        self._broker = broker
        queues: dict[str, RabbitQueue] = {}
        receivers: dict[str, Any] = {}
        for subscription in self.subscriptions.values():
            name = subscription.queue.name
            # FastStream types the arguments of quorum queues without the single active consumer.
            queues[name] = RabbitQueue(
                name, queue_type=QueueType.QUORUM, arguments=cast("Any", dict(subscription.queue.arguments))
            )
            subscriber = broker.subscriber(
                queues[name],
                channel=Channel(prefetch_count=subscription.concurrency),
                ack_policy=AckPolicy.MANUAL,
                decoder=_undecoded,
                no_reply=True,
            )
            subscriber(_receiver(subscription))
            # Set by FastStream only after it consumes; what is delivered before that, it would drop unacked.
            subscriber.running = True
            receivers[name] = subscriber.consume
        await broker.start()
        for name, subscription in self.subscriptions.items():
            # The very object that consumes: FastStream keeps it.
            subscription.attach(await broker.declare_queue(queues[name]), receivers[name])
        for name, subscription in self.subscriptions.items():
            amqp = await broker.declare_queue(queues[name])
            for binding in subscription.queue.bindings:
                # Again, though declared already: what is bound here is bound again when the queue comes back.
                await amqp.bind(binding.exchange, binding.routing_key)

    async def missing(self) -> list[str]:
        """Names of the queues that should be consumed and are not."""
        found = await asyncio.gather(*(each.registered() for each in self.subscriptions.values()))
        return [name for name, here in zip(self.subscriptions, found, strict=True) if not here]

    @property
    def paused(self) -> dict[str, str]:
        """Queues that wait for a dependency, and which."""
        return {name: each.gate.reason or "" for name, each in self.subscriptions.items() if not each.gate.is_open}

    async def cancel(self) -> None:
        """First step of a stop: no new deliveries. Handlers go on."""
        if self._starting is not None:
            if self._publisher.connected:
                # Half subscribed is the one state that cannot be left in order.
                await asyncio.wait({self._starting}, timeout=_CLOSE_TIMEOUT)
            self._starting.cancel()
            with suppress(asyncio.CancelledError):
                await self._starting
        await asyncio.gather(*(self._cancel(subscription) for subscription in self.subscriptions.values()))

    @staticmethod
    async def _cancel(subscription: Subscription) -> None:
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await subscription.cancel()
        await subscription.gate.release()

    async def drain(self) -> None:
        """Second step: wait until every handler has finished."""
        for subscription in self.subscriptions.values():
            await subscription.drained()

    async def stop(self) -> None:
        """Last step: close the connection. What is unacked goes back to its queue."""
        await self.cancel()
        await self._close()

    async def _close(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            with suppress(Exception):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await broker.stop()


async def _undecoded(message: StreamMessage[AbstractIncomingMessage]) -> AbstractIncomingMessage:
    """Hand on the delivery itself: decoding is ours, so that what cannot be decoded is not lost in FastStream."""
    return message.raw_message


def _receiver(subscription: Subscription) -> Callable[[AbstractIncomingMessage], Any]:
    async def receive(message: AbstractIncomingMessage) -> None:
        await subscription.receive(message)

    return receive


def subscribed(consumer: Consumer) -> Sequence[Queue]:
    """The queues of a consumer, as the topology knows them."""
    return [each.queue for each in consumer.subscriptions.values()]
