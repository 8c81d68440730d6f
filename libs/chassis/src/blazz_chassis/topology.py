"""Declares the topology of blazz_contracts on a broker: idempotent, by every service at every connection."""

from collections.abc import Iterable

import aio_pika
from aio_pika.abc import AbstractChannel
from blazz_contracts.topology import (
    EXCHANGES,
    PASSING,
    PASSING_ARGUMENTS,
    PASSING_QUEUE,
    UNROUTED,
    UNROUTED_QUEUE,
    Ladder,
    Queue,
)
from blazz_contracts.topology.queue import DEAD_ARGUMENTS
from yarl import URL

HEARTBEAT = 15  # seconds; a peer that vanished without a word is noticed within about three of them


def connection_url(url: str, name: str) -> str:
    """Return the broker's address with the connection's name (shown in RabbitMQ's management) and heartbeat."""
    return str(URL(url).update_query({"name": name, "heartbeat": str(HEARTBEAT)}))


async def declare_ladder(channel: AbstractChannel, ladder: Ladder, *, scale: float = 1.0) -> None:
    """Declare the retry ladder and the dead letters that queues share; its exchanges are there already."""
    await channel.declare_queue(ladder.dead, durable=True, arguments=DEAD_ARGUMENTS)
    for step in ladder.steps:
        declared = await channel.declare_queue(step.name, durable=True, arguments=step.arguments(scale))
        await declared.bind(step.exchange)


async def declare(channel: AbstractChannel, queues: Iterable[Queue], *, scale: float = 1.0) -> None:
    """Declare every exchange, the queues of all, and these queues with their ladder and dead letters.

    `scale` is `retry_scale`. Raises `aio_pika.exceptions.ChannelPreconditionFailed` when something is there already
    with other arguments, and closes the channel with it: use one for this alone.
    """
    for exchange in EXCHANGES:
        await channel.declare_exchange(
            exchange.name, aio_pika.ExchangeType(exchange.kind), durable=True, arguments=exchange.arguments
        )
    unrouted = await channel.declare_queue(UNROUTED_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    await unrouted.bind(UNROUTED.name, "")
    passing = await channel.declare_queue(PASSING_QUEUE, durable=True, arguments=PASSING_ARGUMENTS)
    for binding in PASSING:
        await passing.bind(binding.exchange, binding.routing_key)
    for queue in queues:
        # The dead letters come first: from the moment the queue is there, something may die in it.
        if queue.ladder is None:
            await channel.declare_queue(queue.dead, durable=True, arguments=DEAD_ARGUMENTS)
        declared = await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
        if queue.ladder is None:
            for step in queue.steps:
                await channel.declare_queue(step.name, durable=True, arguments=step.arguments(scale))
        for binding in queue.bindings:
            await declared.bind(binding.exchange, binding.routing_key)
