"""A fact on its way to chat: the payload as plain JSON values, checked by how it was made.

The contract's models would check each status again at 20 times the cost; a test holds every payload against them.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from blazz_chassis import context
from blazz_chassis.ids import uuid7
from blazz_chassis.outgoing import SCHEMA_VERSION, TRACEPARENT, WORKSPACE_ID, Header, Outgoing
from blazz_contracts import Event
from blazz_contracts.topology import INBOUND


def _plain(value: object) -> str:
    """Ids read from the database are a UUID class of the driver's own, which orjson does not know."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


@dataclass(frozen=True, slots=True)
class Fact:
    """One event for `blazz.inbound`."""

    kind: type[Event]
    payload: dict[str, Any]

    def outgoing(self, app_id: str) -> Outgoing:
        """The message that carries it. Raises TypeError when it holds what JSON in 64 bits cannot."""
        workspace_id: UUID = self.payload["workspace_id"]
        headers: dict[str, Header] = {SCHEMA_VERSION: self.kind.version, WORKSPACE_ID: str(workspace_id)}
        if (parent := context.traceparent.get()) is not None:
            headers[TRACEPARENT] = parent
        return Outgoing(
            exchange=INBOUND.name,
            routing_key=self.kind.name,
            # An alternate exchange keeps what has no listener yet: a webhook is never refused for want of one.
            mandatory=False,
            type=self.kind.name,
            body=orjson.dumps(self.payload, default=_plain),
            message_id=str(uuid7()),
            correlation_id=context.correlation_id.get() or context.new_correlation_id(),
            app_id=app_id,
            headers=headers,
        )
