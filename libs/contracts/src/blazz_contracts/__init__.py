"""Events, commands and broker topology of Blazz: data, no I/O."""

from blazz_contracts.event import Contract, Envelope, Event, Kind

__all__ = ["Contract", "Envelope", "Event", "Kind"]
