"""Durable queues that an instance consumes only while it owns what they are for, such as a WhatsApp Web session.

They come and go while the service runs, so they are no part of `Consumer`, whose queues are known from the start. What
happens around a handler is the same: acks, the retry ladder, dead letters, holding (`Subscription`).
"""

import asyncio
from contextlib import suppress

import aio_pika
import structlog
from aio_pika.abc import AbstractRobustChannel, AbstractRobustConnection
from blazz_contracts import Event
from blazz_contracts.topology import Ladder, Queue
from pydantic import SecretStr

from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.publisher import Publisher
from blazz_chassis.subscription import Handler, Subscription
from blazz_chassis.topology import connection_url, declare_ladder

log = structlog.get_logger(__name__)

_RECONNECT = 1.0  # seconds
_TIMEOUT = 5.0  # seconds that one step with the broker may take


class OwnedQueues:
    """Queues that are declared, consumed and let go one by one, on a connection of its own."""

    def __init__(
        self,
        url: str | SecretStr,
        publisher: Publisher,
        *,
        service: str,
        ladder: Ladder,
        hold: float = 600.0,
        retry_scale: float = 1.0,
    ) -> None:
        """`publisher` declares the exchanges, and moves messages to retry and dead queues. `hold`: see `Gate`.

        `ladder` is what the queues share.
        """
        plain = url.get_secret_value() if isinstance(url, SecretStr) else url
        self._url = connection_url(plain, f"{service} owned")
        self._publisher, self._ladder = publisher, ladder
        self._hold, self._scale = hold, retry_scale
        self._connection: AbstractRobustConnection | None = None
        self._connecting = asyncio.Lock()
        self._channels: dict[str, AbstractRobustChannel] = {}
        self.subscriptions: dict[str, Subscription] = {}

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None and self._connection.connected.is_set()

    async def probe(self) -> None:
        """Return when queues can be declared and consumed; raise `BrokerUnavailable` when not."""
        await self._connected()

    async def declare(self, queue: Queue) -> None:
        """Declare a queue with its bindings; from then on what is sent to it is kept. Idempotent.

        Raises `BrokerUnavailable`.
        """
        channel = await self._channel()
        try:
            async with asyncio.timeout(_TIMEOUT):
                declared = await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
                for binding in queue.bindings:
                    await declared.bind(binding.exchange, binding.routing_key)
        except Exception as error:
            raise BrokerUnavailable(f"the queue {queue.name} could not be declared", probe=self.probe) from error
        finally:
            await _closed(channel)

    async def delete(self, queue: Queue) -> None:
        """Delete a queue with all that waits in it. Raises `BrokerUnavailable`."""
        channel = await self._channel()
        try:
            async with asyncio.timeout(_TIMEOUT):
                await channel.queue_delete(queue.name)
        except Exception as error:
            raise BrokerUnavailable(f"the queue {queue.name} could not be deleted", probe=self.probe) from error
        finally:
            await _closed(channel)

    async def consume(self, queue: Queue, event: type[Event], handler: Handler, *, concurrency: int) -> Subscription:
        """Consume a queue from now on: `handler(event, envelope)`, at most `concurrency` side by side.

        Raises `BrokerUnavailable`; a connection that is lost later comes back by itself.
        """
        subscription = Subscription(queue, self._publisher, concurrency=concurrency, hold=self._hold)
        subscription.handlers[event.name] = (event, handler)
        channel = await self._channel()
        try:
            async with asyncio.timeout(_TIMEOUT):
                await channel.set_qos(prefetch_count=concurrency)
                declared = await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
                for binding in queue.bindings:
                    await declared.bind(binding.exchange, binding.routing_key)
                subscription.attach(declared, subscription.receive)
                await declared.consume(subscription.receive)
        except Exception as error:
            await _closed(channel)
            raise BrokerUnavailable(f"the queue {queue.name} could not be consumed", probe=self.probe) from error
        self.subscriptions[queue.name] = subscription
        self._channels[queue.name] = channel
        return subscription

    async def restore(self) -> None:
        """Declare and consume again what was deleted under its consumer; does nothing to what is well.

        Raises `BrokerUnavailable`.
        """
        for name, subscription in list(self.subscriptions.items()):
            if subscription.gate.giving_up or not self.connected or await subscription.registered():
                continue  # it consumes nothing on purpose, or comes back with the connection, or is well
            if self.subscriptions.get(name) is not subscription:
                continue  # let go meanwhile: whoever deleted the queue meant it
            await self.declare(subscription.queue)
            log.warning("queue_restored", queue=name)
            try:
                async with asyncio.timeout(_TIMEOUT):
                    await subscription.resume()
            except Exception as error:
                raise BrokerUnavailable(f"the queue {name} could not be consumed", probe=self.probe) from error

    async def release(self, queue: Queue, *, within: float = 30.0) -> None:
        """Stop consuming: no more deliveries, what is under way finishes (for `within` seconds), the rest goes back."""
        subscription, channel = self.subscriptions.pop(queue.name, None), self._channels.pop(queue.name, None)
        if subscription is None:
            return
        with suppress(Exception):
            async with asyncio.timeout(_TIMEOUT):
                await subscription.cancel()
        await subscription.gate.release()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await subscription.drained()
        if channel is not None:
            await _closed(channel)

    async def stop(self) -> None:
        """Close the connection. What is unacked goes back to its queue."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                async with asyncio.timeout(_TIMEOUT):
                    await connection.close()

    async def _channel(self) -> AbstractRobustChannel:
        connection = await self._connected()
        try:
            async with asyncio.timeout(_TIMEOUT):
                channel = connection.channel()
                await channel.initialize()
        except Exception as error:
            raise BrokerUnavailable("the broker gives no channel", probe=self.probe) from error
        return channel

    async def _connected(self) -> AbstractRobustConnection:
        async with self._connecting:
            if self._connection is None:
                connection: AbstractRobustConnection | None = None
                try:
                    async with asyncio.timeout(_TIMEOUT):
                        await self._publisher.declared.wait()  # the exchanges are there
                        connection = await aio_pika.connect_robust(self._url, reconnect_interval=_RECONNECT)
                        channel = await connection.channel()
                        await declare_ladder(channel, self._ladder, scale=self._scale)
                        await channel.close()
                        self._connection = connection
                except Exception as error:
                    raise BrokerUnavailable(probe=self.probe) from error
                finally:
                    # A robust connection that nobody holds would come back for ever.
                    if connection is not None and self._connection is None:
                        await _closed(connection)
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._connection.connected.wait()
        except TimeoutError as error:
            raise BrokerUnavailable(probe=self.probe) from error
        return self._connection


async def _closed(closing: AbstractRobustChannel | AbstractRobustConnection) -> None:
    with suppress(Exception):
        async with asyncio.timeout(_TIMEOUT):
            await closing.close()
