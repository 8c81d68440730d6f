"""Rate limits that are exact across instances: a sliding window of one-second slots, one locked row a subject.

Never more than the limit in any 60 seconds: a slot counts until 61 seconds after it began, so what is counted covers
at least the last 60 seconds wherever in a slot a request fell. The price is that room comes back up to a second late.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blazz_chassis.database import Connection

WINDOW = 60
_SLOTS = WINDOW + 1

# The upsert locks the row and returns what it holds; `clock_timestamp()` is read when the lock is had.
# Ordered, so that two batches lock common rows in the same order.
_LOCK = """
insert into rate_windows as w (subject, second, slots, touched_at)
select subject, 0, ''::bytea, now() from unnest($1::text[]) as subject order by subject
on conflict (subject) do update set touched_at = excluded.touched_at
returning w.subject, w.second, w.slots, extract(epoch from clock_timestamp())::float8 as now
"""
_STORE = """
update rate_windows w set second = n.second, slots = n.slots
from unnest($1::text[], $2::bigint[], $3::bytea[]) as n (subject, second, slots) where w.subject = n.subject
"""
_FORGET = "delete from rate_windows where touched_at < now() - interval '10 minutes'"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether there was room, and how much is left."""

    allowed: bool
    limit: int
    remaining: int
    wait: float
    """Seconds until there is room for one; 0 when there is."""
    reset: float
    """Seconds until the window is empty again."""

    def headers(self) -> dict[str, str]:
        """The RateLimit header fields (draft-ietf-httpapi-ratelimit-headers-07)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset if self.allowed else self.wait)),
            "RateLimit-Policy": f"{self.limit};w={WINDOW}",
        }


class Window:
    """How many in each of the last 61 seconds; the last slot is `second`."""

    def __init__(self, second: int = 0, packed: bytes = b"") -> None:
        self.second = second
        self.slots = array("I", packed) if len(packed) == _SLOTS * 4 else array("I", bytes(_SLOTS * 4))

    def take(self, now: float, limit: int) -> Decision:
        """Take one place at `now` (seconds since 1970), if there is one."""
        self._move_to(math.floor(now))
        used = sum(self.slots)
        allowed = used < limit
        if allowed:
            self.slots[-1] += 1
            used += 1
        return Decision(allowed, limit, max(0, limit - used), self._wait(now, limit), self._reset(now))

    def give_back(self) -> None:
        """Take back the newest place that was taken, if any."""
        for index in range(_SLOTS - 1, -1, -1):
            if self.slots[index]:
                self.slots[index] -= 1
                return

    def packed(self) -> bytes:
        """For `Window(second, packed)`."""
        return self.slots.tobytes()

    def _move_to(self, second: int) -> None:
        # A clock that went back changes nothing: the slots stay where they are.
        passed = second - self.second
        if passed >= _SLOTS:
            self.slots = array("I", bytes(_SLOTS * 4))
        elif passed > 0:
            self.slots = self.slots[passed:] + array("I", bytes(passed * 4))
        if passed > 0:
            self.second = second

    def _wait(self, now: float, limit: int) -> float:
        used = sum(self.slots)
        if used < limit:
            return 0.0
        for index, count in enumerate(self.slots):
            used -= count
            if used < limit:
                return self._leaves(index) - now
        return float(_SLOTS)

    def _reset(self, now: float) -> float:
        newest = max((index for index, count in enumerate(self.slots) if count), default=None)
        return 0.0 if newest is None else self._leaves(newest) - now

    def _leaves(self, index: int) -> float:
        """When the slot at `index` no longer counts."""
        return self.second - (_SLOTS - 1 - index) + _SLOTS


async def take(connection: Connection, asked: Sequence[tuple[str, int]]) -> list[Decision]:
    """Take one place for each (subject, limit), in order, in the caller's transaction; the same subject may recur."""
    if not asked:
        return []
    windows, now = await _locked(connection, [subject for subject, _ in asked])
    decisions = [windows[subject].take(now[subject], limit) for subject, limit in asked]
    await _stored(connection, windows)
    return decisions


async def give_back(connection: Connection, subjects: Sequence[str]) -> None:
    """Give back one place of each subject."""
    windows, _ = await _locked(connection, subjects)
    for subject in subjects:
        windows[subject].give_back()
    await _stored(connection, windows)


async def forget(connection: Connection) -> None:
    """Delete rows that count nothing any more."""
    await connection.execute(_FORGET)


async def _locked(connection: Connection, subjects: Sequence[str]) -> tuple[dict[str, Window], Mapping[str, float]]:
    rows = await connection.fetch(_LOCK, sorted(set(subjects)))
    windows = {row["subject"]: Window(row["second"], row["slots"]) for row in rows}
    return windows, {row["subject"]: row["now"] for row in rows}


async def _stored(connection: Connection, windows: Mapping[str, Window]) -> None:
    await connection.execute(
        _STORE,
        list(windows),
        [window.second for window in windows.values()],
        [window.packed() for window in windows.values()],
    )
