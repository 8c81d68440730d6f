"""A message on its way to the broker: everything that goes over the wire, decided."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from aiormq import spec
from blazz_contracts import Event
from blazz_contracts.topology import Address, address_of

from blazz_chassis import context
from blazz_chassis.ids import uuid7

Header = str | int | float | None
PERSISTENT = 2
SCHEMA_VERSION, WORKSPACE_ID, TRACEPARENT = "schema-version", "workspace-id", "traceparent"


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """One message and where it goes. Built by `of`; the outbox stores and restores it."""

    exchange: str
    routing_key: str
    mandatory: bool
    type: str
    body: bytes
    message_id: str
    correlation_id: str
    app_id: str
    headers: dict[str, Header] = field(default_factory=dict)
    timestamp: float = field(default_factory=time.time)

    def properties(self) -> spec.Basic.Properties:
        """AMQP basic properties: persistent, with the envelope."""
        return spec.Basic.Properties(
            content_type="application/json",
            delivery_mode=PERSISTENT,
            message_id=self.message_id,
            correlation_id=self.correlation_id,
            timestamp=datetime.fromtimestamp(self.timestamp, UTC),
            message_type=self.type,
            app_id=self.app_id,
            headers=dict(self.headers),
        )


def of(event: Event, *, app_id: str, to: Address | None = None, message_id: UUID | None = None) -> Outgoing:
    """Return the message that carries `event` in the current request's correlation and trace context.

    `to` overrides the address that the event's kind gives; `message_id` is a new UUIDv7 when none is given.
    """
    address = to or address_of(event)
    headers: dict[str, Header] = {SCHEMA_VERSION: event.version, WORKSPACE_ID: str(event.workspace_id)}
    if (parent := context.traceparent.get()) is not None:
        headers[TRACEPARENT] = parent
    return Outgoing(
        exchange=address.exchange,
        routing_key=address.routing_key,
        mandatory=address.mandatory,
        type=event.name,
        body=event.model_dump_json().encode(),
        message_id=str(message_id or uuid7()),
        correlation_id=context.correlation_id.get() or context.new_correlation_id(),
        app_id=app_id,
        headers=headers,
    )
