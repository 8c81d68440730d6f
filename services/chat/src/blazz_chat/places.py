"""Places: how many calls to the provider are under way on this instance, all channels together.

A call that waits for a free connection spends its time limit there, and then nobody knows whether it left. So no more
is claimed than there are connections for; and urgent messages have places that nothing else may take.
"""

from collections.abc import Callable

# A pump that waits for places is told when this share of them is free: claiming one by one costs a transaction each.
_ENOUGH = 8


class Places:
    """A number of places that pumps share."""

    def __init__(self, most: int) -> None:
        self.free = most
        self._enough = max(1, most // _ENOUGH)
        self._waiting: set[Callable[[], None]] = set()

    def take(self, most: int) -> int:
        """Take up to `most` places; returns how many."""
        taken = min(most, self.free)
        self.free -= taken
        return taken

    def give_back(self, number: int) -> None:
        """Free places, and tell those who wait once there are enough."""
        self.free += number
        if self._waiting and self.free >= self._enough:
            waiting, self._waiting = self._waiting, set()
            for tell in waiting:
                tell()

    def when_free(self, tell: Callable[[], None]) -> None:
        """Call `tell` once when there are places again."""
        self._waiting.add(tell)
