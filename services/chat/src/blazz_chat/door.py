"""Whether a provider can be reached: while it cannot, nothing is claimed, and no try is burned."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

# Probes start quickly, since most outages are short, and become rare, since long ones gain nothing from it (seconds).
_FIRST, _MOST = 0.25, 5.0


class Door:
    """Shut by a call that never left; opened by a probe that was answered."""

    def __init__(self, reachable: Callable[[], Awaitable[bool]]) -> None:
        self._reachable = reachable
        self._wait = _FIRST
        self._next = 0.0
        self._probing = asyncio.Lock()
        self.reason = ""

    def shut(self, reason: str) -> None:
        """Nothing gets through."""
        if not self.reason:
            log.warning("provider_unreachable", reason=reason)
            self._wait = _FIRST
            self._next = time.monotonic() + self._wait
        self.reason = reason

    async def open(self) -> bool:
        """Tell whether calls may be made; asks the provider when it is time to."""
        if not self.reason:
            return True
        if time.monotonic() < self._next or self._probing.locked():
            return False
        async with self._probing:
            if await self._reachable():
                log.info("provider_reachable")
                self.reason = ""
                return True
            self._wait = min(self._wait * 2, _MOST)
            self._next = time.monotonic() + self._wait
        return False
