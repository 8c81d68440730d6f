"""What people ask of one session: restart, pair, log out, delete."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from blazz_contracts.session import SessionState

from blazz_webjs_bridge.endings import Anew
from blazz_webjs_bridge.page.calls import Logout, Page, Pair
from blazz_webjs_bridge.page.errors import PageError, PageGone
from blazz_webjs_bridge.position import Position
from blazz_webjs_bridge.state import Standing

log = structlog.get_logger(__name__)

_LOOK = 1.0  # seconds between two tries to remove a device


class Wishes:
    """The wishes that wait for one session; of a kind the newest, once."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._log = log.bind(session_id=str(position.session.id))
        self._waiting: dict[str, dict[str, Any]] = {}  # in the order of their first asking
        self._some = asyncio.Event()
        self._restarting = False

    def ask(self, kind: str, data: dict[str, Any]) -> None:
        """Do this. What waits already, or a restart that is under way, is done once."""
        if kind == "restart" and self._restarting:
            return
        self._waiting[kind] = data
        self._some.set()

    def opened(self) -> None:
        """A browser was opened: the next restart is another one."""
        self._restarting = False

    async def answer(self, page: Page) -> None:
        """Do in this page what is asked, one after another; never returns. Raises `Anew` and `Over`."""
        while True:
            await self._some.wait()
            if not self._waiting:
                self._some.clear()
                continue
            kind = next(iter(self._waiting))
            data = self._waiting.pop(kind)
            self._log.info("asked", kind=kind)
            try:
                await self._do(page, kind, data)
            except PageError as error:
                self._log.warning("not_done", kind=kind, error=error.code)
                now = self._position.standing
                await self._position.stand(Standing(now.state, f"{kind}: {error.detail}", now.linked))

    async def _do(self, page: Page, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "restart":
                self._restarting = True
                raise Anew("a person asked for it", counted=False)
            case "pair":
                code = await page.call(Pair(phone=str(data["phone"])))
                cause = "waits for the pairing code to be typed into the phone"
                await self._position.stand(Standing(SessionState.PAIRING, cause), pairing_code=code)
            case "delete":
                await self.unlink(page)
            case "logout":
                self._position.unlinking = True
                with suppress(PageError):
                    await page.call(Logout())
                await self._position.unlinked(Standing(SessionState.STOPPED, "logged out by a person"))

    async def unlink(self, page: Page) -> None:
        """Remove the device; a page that cannot yet is asked again, until it ends or the session is left."""
        while True:
            if not self._position.opens:  # before it knows whether it is linked it would say that nothing is
                self._position.unlinking = True
                try:
                    await page.call(Logout())
                except PageError as error:
                    self._position.unlinking = False
                    if isinstance(error, PageGone):
                        raise
                    self._log.info("unlinking_waits", error=error.code)
                else:
                    await self._position.unlinked(Standing(SessionState.STOPPED, "deleted by a person"))
            await asyncio.sleep(_LOOK)
