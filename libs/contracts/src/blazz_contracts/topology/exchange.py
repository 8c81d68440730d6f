"""The exchanges."""

from dataclasses import dataclass
from typing import Any, Literal

from blazz_contracts.topology.queue import Ladder


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. What its `alternate` is for: an event nobody listens to yet is kept, not refused."""

    name: str
    kind: Literal["direct", "topic", "fanout"]
    alternate: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """AMQP arguments of its declaration."""
        return {"alternate-exchange": self.alternate} if self.alternate else {}


UNROUTED = Exchange("blazz.unrouted", "fanout")
COMMANDS = Exchange("blazz.commands", "direct")
INBOUND = Exchange("blazz.inbound", "direct", alternate=UNROUTED.name)
SESSIONS = Exchange("blazz.sessions", "direct")
EVENTS = Exchange("blazz.events", "topic", alternate=UNROUTED.name)

# What the sessions' queues share: one ladder. Its steps are reached by a fanout exchange each, which keeps the key.
SESSIONS_LADDER = Ladder("webjs-bridge.sessions", returns_by=SESSIONS.name)
_STEPS = tuple(Exchange(step.exchange, "fanout") for step in SESSIONS_LADDER.steps)

# Alternates come first, so that nothing is declared that names what is not there yet.
EXCHANGES: tuple[Exchange, ...] = (UNROUTED, COMMANDS, INBOUND, SESSIONS, EVENTS, *_STEPS)
