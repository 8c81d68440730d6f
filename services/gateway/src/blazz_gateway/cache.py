"""A few things looked up again and again, believed for a moment; one look-up at a time for each."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = 20_000  # entries, about 10 MB of the larger ones; then everything is looked up again


class Cache(Generic[K, V]):
    """What `load(key)` returned, for `seconds`. None is not kept: what is unknown now may be known in a moment."""

    def __init__(self, load: Callable[[K], Awaitable[V | None]], *, seconds: float) -> None:
        self._load, self._seconds = load, seconds
        self._kept: dict[K, tuple[V, float]] = {}
        self._loading: dict[K, asyncio.Future[V | None]] = {}

    async def get(self, key: K) -> V | None:
        """Return the value; what `load` raises reaches everybody who waits for it."""
        found = self._kept.get(key)
        if found is not None and found[1] > time.monotonic():
            return found[0]
        loading = self._loading.get(key)
        if loading is None:
            loading = asyncio.ensure_future(self._fetch(key))
            self._loading[key] = loading
        # Shielded: the caller that began the look-up may be cancelled while others wait for it.
        return await asyncio.shield(loading)

    def stale(self, key: K) -> V | None:
        """The last known value, however old."""
        found = self._kept.get(key)
        return found[0] if found is not None else None

    def drop(self, key: K) -> None:
        """Look it up again next time."""
        self._kept.pop(key, None)
        # A look-up under way may have read what was before the change.
        self._loading.pop(key, None)

    def clear(self) -> None:
        """Look everything up again. What was known stays for `stale`."""
        self._kept = {key: (value, 0.0) for key, (value, _) in self._kept.items()}
        self._loading.clear()

    async def _fetch(self, key: K) -> V | None:
        me = asyncio.current_task()
        # Counted from before the look-up: it tells of that moment.
        began = time.monotonic()
        try:
            value = await self._load(key)
        finally:
            mine = self._loading.get(key) is me
            if mine:
                del self._loading[key]
        if not mine:
            return value
        if value is None:
            self._kept.pop(key, None)
        else:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = (value, began + self._seconds)
        return value
