"""Waiting for something to come about: tests poll with a limit, they never sleep and hope."""

import asyncio
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], within: float = 15.0, *, what: str = "it", every: float = 0.02) -> Any:
    """Poll until the condition (a function, or one that returns an awaitable) gives something true; return that.

    `within` and `every` in seconds; `what` is named when it does not come about.
    """
    loop = asyncio.get_running_loop()
    limit = loop.time() + within
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert loop.time() < limit, f"{what} did not come about within {within:g} s"
        await asyncio.sleep(every)
