"""What happened on a linked phone, in order, until every one of its devices has it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

LOG_MAX = 200_000
"""Events kept for a device that is away (about 300 bytes each); one further behind is given the history anew."""

RESERVED = 1000
"""Numbers that are written down at once, before they are used: a killed simulator gives none a second time."""


class Event:
    """One thing that happened. `origin` is the device that did it and knows already."""

    __slots__ = ("body", "origin", "seq")

    def __init__(self, seq: int, body: dict[str, Any], origin: str | None) -> None:
        self.seq = seq
        self.body = body
        self.origin = origin


class Log:
    """Events with a number that only grows, also over a reset, so that a device's place in it stays good."""

    def __init__(self, reserve: Callable[[], None] = lambda: None) -> None:
        """`reserve` is called when `reserved` has grown, before a number up to it is used."""
        self._events: deque[Event] = deque()
        self._reserve = reserve
        self.last = self.reserved = 0

    @property
    def first(self) -> int:
        """Number of the oldest event kept; one more than `last` when none is."""
        return self._events[0].seq if self._events else self.last + 1

    def __len__(self) -> int:
        return len(self._events)

    def append(self, body: dict[str, Any], origin: str | None = None) -> Event:
        """Add what happened."""
        self.last += 1
        if self.last > self.reserved:
            self.reserved = self.last + RESERVED
            self._reserve()
        event = Event(self.last, body, origin)
        self._events.append(event)
        if len(self._events) > LOG_MAX:
            self._events.popleft()
        return event

    def after(self, seq: int) -> Iterator[Event]:
        """Return the events a device has not had."""
        return (event for event in self._events if event.seq > seq)

    def trim(self, seq: int) -> None:
        """Forget the events up to `seq`, which every device has."""
        while self._events and self._events[0].seq <= seq:
            self._events.popleft()

    def clear(self) -> None:
        """Forget every event; the numbers go on."""
        self._events.clear()

    def give_back(self) -> None:
        """Reserve no more than was used, at the end."""
        self.reserved = self.last
