"""Handlers by event, for a listener without retries: what cannot be decoded is logged and dropped."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from aio_pika.abc import AbstractIncomingMessage
from blazz_contracts import Envelope, Event
from prometheus_client import Counter

from blazz_chassis import context
from blazz_chassis.incoming import Undecodable, envelope_of, event_of

log = structlog.get_logger(__name__)

Handler = Callable[[Any, Envelope], Awaitable[object]]
H = TypeVar("H", bound=Handler)

handled = Counter("blazz_instance_queue_handled", "Messages of the instance's queue handled", ["type"])
failed = Counter("blazz_instance_queue_failed", "Messages of the instance's queue not handled", ["reason"])


class EventHandlers:
    """Who handles which event."""

    def __init__(self) -> None:
        self._handlers: dict[str, tuple[type[Event], Handler]] = {}

    def on(self, *events: type[Event]) -> Callable[[H], H]:
        """Decorate a handler `async def handler(event, envelope)` for these events. Others are dropped unread."""

        def add(handler: H) -> H:
            for event in events:
                if event.name in self._handlers:
                    raise ValueError(f"there is a handler for {event.name} already")
                self._handlers[event.name] = (event, handler)
            return handler

        return add

    async def handle(self, message: AbstractIncomingMessage) -> None:
        """Let its handler have a message. Raises what that raises."""
        known = self._handlers.get(message.type or "")
        if known is None:
            return
        kind, handler = known
        try:
            envelope = envelope_of(message)
            event = event_of(message, kind)
        except Undecodable as error:
            failed.labels("undecodable").inc()
            log.warning("instance_delivery_undecodable", type=message.type, error=error.detail)
            return
        with context.correlated(envelope.correlation_id or None, envelope.traceparent):
            await handler(event, envelope)
        handled.labels(kind.name).inc()
