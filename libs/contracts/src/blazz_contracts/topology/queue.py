"""A durable quorum queue with its retry ladder and its dead letters."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

# Broker-level redeliveries (a consumer that died) before a message is dead-lettered. 20 is RabbitMQ 4's own default:
# well above 3, since with prefetch a crash burns one delivery of every neighbour.
DELIVERY_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Binding:
    """What an exchange puts into a queue."""

    exchange: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class RetryStep:
    """One queue of the retry ladder: a message waits here for `delay`, then returns to its queue."""

    queue: str
    name: str
    delay: timedelta
    returns_to: str

    def arguments(self, scale: float = 1.0) -> dict[str, Any]:
        """AMQP arguments. The TTL is the queue's, never the message's: expiry happens at the head only.

        `scale` shortens the waits on a developer's machine.
        """
        return {
            "x-queue-type": "quorum",
            "x-message-ttl": max(1, round(self.delay.total_seconds() * 1000 * scale)),
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.returns_to,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue `{service}.{purpose}` of one service."""

    name: str
    service: str
    bindings: tuple[Binding, ...]
    single_active_consumer: bool = False
    retries: tuple[timedelta, ...] = (timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120))

    @property
    def dead(self) -> str:
        """The queue that keeps what could not be handled."""
        return f"{self.name}.dead"

    @property
    def steps(self) -> tuple[RetryStep, ...]:
        """The retry ladder, first step first."""
        return tuple(
            RetryStep(self.name, f"{self.name}.retry.{round(delay.total_seconds())}s", delay, self.name)
            for delay in self.retries
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """AMQP arguments of its declaration. What may change later (lengths) is a policy instead."""
        arguments: dict[str, Any] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        if self.single_active_consumer:
            arguments["x-single-active-consumer"] = True
        return arguments

    @property
    def dead_arguments(self) -> dict[str, Any]:
        """AMQP arguments of the dead letter queue."""
        return {"x-queue-type": "quorum"}
