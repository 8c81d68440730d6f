"""A person's pace: messages of one session leave one after another, with pauses and time to type them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from blazz_contracts.events import SessionSend
from blazz_contracts.views.session import Pacing

from blazz_webjs_bridge import outgoing
from blazz_webjs_bridge.page.calls import Page, Typing
from blazz_webjs_bridge.page.errors import PageError


class Pace:
    """The pace of one session, by its options."""

    def __init__(self, pacing: Pacing, page: Callable[[], Page | None]) -> None:
        """`page`: the page of the moment, where it is ready."""
        self.pacing = pacing
        self._page = page
        self._turn = asyncio.Lock()
        self._over = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether messages leave at a person's pace at all."""
        return bool(self.pacing.longest_pause or self.pacing.typing)

    @asynccontextmanager
    async def kept(self, event: SessionSend, chat: str) -> AsyncIterator[bool]:
        """Wait for this message's turn, where there is a pace; gives whether it waited."""
        if not self.is_set:
            yield False
            return
        async with self._turn:
            pacing = self.pacing
            shortest = min(pacing.shortest_pause, pacing.longest_pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(shortest, pacing.longest_pause)):  # noqa: S311 - dice
                    await self._over.wait()
            page, seconds = self._page(), outgoing.typing_seconds(event) if pacing.typing else 0.0
            if page is not None and seconds and not self._over.is_set():
                with suppress(PageError):
                    await page.call(Typing(chat=chat, seconds=seconds), within=seconds + 10)
            yield True

    def end(self) -> None:
        """Let nothing wait any longer."""
        self._over.set()
