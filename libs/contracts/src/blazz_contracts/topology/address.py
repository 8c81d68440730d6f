"""Where an event is published to."""

from dataclasses import dataclass

from blazz_contracts.event import Event, Kind
from blazz_contracts.topology.exchange import COMMANDS, EVENTS, INBOUND, SESSIONS

_EXCHANGE = {Kind.COMMAND: COMMANDS, Kind.SESSION: SESSIONS, Kind.INBOUND: INBOUND, Kind.EVENT: EVENTS}

_MANDATORY = frozenset({Kind.COMMAND, Kind.SESSION})


@dataclass(frozen=True, slots=True)
class Address:
    """An exchange and a key. `mandatory`: the broker must say so when no queue takes it.

    Only commands need that: inbound facts and events have an alternate exchange that keeps them.
    """

    exchange: str
    routing_key: str
    mandatory: bool


def address_of(event: Event) -> Address:
    """Where this event is published to."""
    return Address(_EXCHANGE[event.kind].name, event.routing_key(), mandatory=event.kind in _MANDATORY)
