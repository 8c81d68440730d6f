"""A page while it opens: it opens in time, or nothing of it is left running."""

import asyncio
from collections.abc import Awaitable, Callable

from blazz_webjs_bridge.page.web_page import WebPage


class Opening:
    """Opens one page at a time, until `leaving` says that nobody wants it any more."""

    def __init__(self, leaving: asyncio.Event, *, within: float) -> None:
        """`within` in seconds."""
        self._leaving, self._within = leaving, within
        self._opening: asyncio.Future[WebPage] | None = None

    async def page(self, open_page: Callable[[], Awaitable[WebPage]]) -> WebPage | None:
        """Open it; None, and nothing runs, where it is left meanwhile. Raises `PageError`, `TimeoutError`."""
        if self._leaving.is_set():
            return None
        opening = self._opening = asyncio.ensure_future(open_page())
        leaving = asyncio.ensure_future(self._leaving.wait())
        try:
            await asyncio.wait({opening, leaving}, timeout=self._within, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                return opening.result()
            if leaving.done():
                return None
            raise TimeoutError
        finally:
            leaving.cancel()
            if not opening.done():
                opening.cancel()
                await asyncio.wait({opening})
                if not opening.cancelled() and opening.exception() is None:
                    await opening.result().kill()  # it was there in the same moment
            self._opening = None

    async def ended(self) -> None:
        """Wait until nothing opens any more."""
        if self._opening is not None:
            await asyncio.wait({self._opening})
