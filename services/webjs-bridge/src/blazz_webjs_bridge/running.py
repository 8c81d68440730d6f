"""One session as this instance runs it: from the lease until it is let go, through as many browsers as it takes."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from blazz_chassis.errors import BlazzError
from blazz_contracts.session import SessionState
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.leases import Sign
from blazz_webjs_bridge.opening import Opening
from blazz_webjs_bridge.page.calls import Logout, Pair, RefreshQr, TakeOver
from blazz_webjs_bridge.page.errors import PageError, PageGone
from blazz_webjs_bridge.page.facts import (
    AckChanged,
    Alive,
    Arrived,
    Called,
    Edited,
    Fact,
    PairingCodeShown,
    QrIdle,
    QrShown,
    Reacted,
    Ready,
    Revoked,
)
from blazz_webjs_bridge.page.web_page import WebPage
from blazz_webjs_bridge.session import Session
from blazz_webjs_bridge.state import Remedy, Standing, after
from blazz_webjs_bridge.traffic import Traffic
from blazz_webjs_bridge.watchdog import Watchdog

log = structlog.get_logger(__name__)

_LOOK = 1.0  # seconds between two looks at the page
_CLOSE = 10.0  # seconds that a browser gets to write its profile
_UNLINK = 30.0  # seconds that a deleted session gets, in one browser or several, to remove its device
_UNLINKED = (SessionState.QR, SessionState.PAIRING)


class _Anew(Exception):
    """The browser must be opened anew."""

    def __init__(self, cause: str, *, counted: bool = True, forget: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.counted, self.forget = cause, counted, forget


class _Over(Exception):
    """The session has ended, until a person starts it again. `forget`: nothing of its profile is kept."""

    def __init__(self, *, forget: bool = False) -> None:
        super().__init__()
        self.forget = forget


class Lost(Exception):
    """Another instance owns the session."""


class Running:
    """One session that this instance runs."""

    def __init__(self, session: Session, house: House) -> None:
        settings = house.settings
        self.session, self._house = session, house
        self.memory: int | None = None
        self._log = log.bind(session_id=str(session.id))
        self._traffic = Traffic(session, house)
        self._watchdog = Watchdog(
            frozen=settings.webjs_bridge_frozen,
            memory_limit=settings.webjs_bridge_session_memory,
            first=settings.webjs_bridge_restart_first,
            cap=settings.webjs_bridge_restart_cap,
            restarts=session.restarts,
        )
        self._standing = Standing(session.state, session.cause)
        self._facts: asyncio.Queue[Fact] = asyncio.Queue()
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._asked_data: dict[str, dict[str, Any]] = {}
        self._restarting = False
        self._leaving = asyncio.Event()
        self._unlinking = False
        self._deleting: asyncio.TimerHandle | None = None
        self._page: WebPage | None = None
        self._opening = Opening(self._leaving, within=settings.webjs_bridge_open_timeout)
        self.killed = False
        """Whether nothing of it may go on here."""
        self._heard: datetime | None = None

    # --- what the fleet asks

    def ask(self, kind: str, data: dict[str, Any]) -> None:
        """Do what a person asks: restart, logout, pair. What waits already, or a restart under way, is done once."""
        if kind == "restart" and self._restarting:
            return
        if kind not in self._asked_data:
            self._asked.put_nowait(kind)
        self._asked_data[kind] = data

    def leave(self) -> None:
        """Finish what is under way and let the session go."""
        self._leaving.set()

    def delete(self) -> None:
        """Remove the device from the phone where it is linked, for as long as that may take, and let the session go."""
        if self._deleting is not None:
            return
        linked = self.session.seen_until is not None
        self._deleting = asyncio.get_running_loop().call_later(_UNLINK if linked else 0, self.leave)
        if linked:
            self.ask("delete", {})

    def set_options(self, options: SessionOptions) -> None:
        """Go by other options from now on."""
        self._traffic.options = options

    def sign(self) -> Sign:
        """A sign of life, for the lease."""
        seen_until = None if self._unlinking else self._traffic.seen_until
        return Sign(self.session.id, self.session.fence, self._heard, self.memory, seen_until)

    async def kill(self) -> None:
        """End it at once: somebody else owns it, and nothing of it may go on here."""
        self.killed = True
        self._leaving.set()
        self._traffic.pause()
        await self._opening.ended()
        if self._page is not None:
            await self._page.kill()

    # --- its life

    async def run(self) -> None:
        """Run it until it is left, lost or over. Raises `Lost`."""
        is_over = False
        try:
            await self._traffic.open()
            while not self._leaving.is_set():
                try:
                    await self._one_browser()
                except _Anew as anew:
                    await self._pause(anew)
                except (PageError, TimeoutError) as error:
                    cause = error.detail if isinstance(error, PageError) else "WhatsApp Web did not open in time"
                    await self._pause(_Anew(cause))
        except _Over as over:
            is_over = True
            if over.forget:
                await self._house.profiles.forget(self.session.id)
        finally:
            await self._traffic.close(over=is_over)

    async def _one_browser(self) -> None:
        """Open the page and do what it tells until it ends."""
        house, session_id = self._house, self.session.id
        await house.profiles.prepare(session_id)
        if self._standing.state not in (SessionState.STARTING, SessionState.OFFLINE):
            await self._stand(Standing(SessionState.STARTING, "opening WhatsApp Web"))
        self._facts = asyncio.Queue()
        page = await self._opening.page(lambda: house.open_page(session_id, self._facts.put_nowait))
        if page is None:
            return
        self._page, self._restarting = page, False
        self._watchdog.opened(time.monotonic())
        self._log.info("page_opened", pid=page.pid)
        try:
            await self._serve(page)
        finally:
            self._hear_the_rest()
            if self._leaving.is_set():
                await self._traffic.finish(page.gone)
                self._hear_the_rest()
            self._traffic.leave_page()
            self._page = None
            await self._closed(page)

    def _hear_the_rest(self) -> None:
        """What the page told before it ended, or while it was waited for, is not lost."""
        while not self._facts.empty():
            match self._facts.get_nowait():
                case AckChanged(ids=ids, ack=ack, at=at):
                    self._traffic.tick(ids, ack, at)
                case Arrived() | Edited() | Revoked() | Reacted() | Called() as fact:
                    self._traffic.take(fact)

    async def _serve(self, page: WebPage) -> None:
        """Hear, look and answer side by side until the first of them says why the page has to end."""
        doing: set[asyncio.Future[Any]] = {
            asyncio.create_task(self._hearing(page)),
            asyncio.create_task(self._looking(page)),
            asyncio.create_task(self._answering(page)),
            asyncio.create_task(self._doubting()),
            asyncio.create_task(self._leaving.wait()),
        }
        gone: asyncio.Future[Any] = asyncio.shield(page.gone)
        try:
            done, _ = await asyncio.wait({*doing, gone}, return_when=asyncio.FIRST_COMPLETED)
            if self._unlinking and done == {gone}:
                # A page that ends while it is unlinked ends for that: let it be written down.
                done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in doing:
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)
        for task in done - {gone}:
            task.result()
        if gone in done and not self._leaving.is_set():
            raise _Anew(f"the browser has ended ({page.gone.result()})")

    async def _hearing(self, page: WebPage) -> None:
        while True:
            fact = await self._facts.get()
            self._watchdog.heard(time.monotonic())
            self._heard = datetime.now(UTC)
            match fact:
                case Alive():
                    continue
                case AckChanged(ids=ids, ack=ack, at=at):
                    self._traffic.tick(ids, ack, at)
                case Arrived() | Edited() | Revoked() | Reacted() | Called():
                    self._traffic.take(fact)
                case QrIdle():
                    await page.call(RefreshQr())
                case _:
                    await self._moved(page, fact)

    async def _moved(self, page: WebPage, fact: Fact) -> None:
        """A fact that may change where the session stands."""
        if self._unlinking:
            return  # what the page tells now, such as a new code, is of a session that has ended
        before = self._standing
        standing, remedy = after(before, fact)
        if remedy is Remedy.LINK_ANEW:
            await self._unlinked(standing)
        if standing.state is SessionState.READY and before.state is not SessionState.READY:
            self._traffic.expect()
        if standing != before or isinstance(fact, QrShown | PairingCodeShown | Ready):
            await self._stand(
                standing,
                qr=fact.code if isinstance(fact, QrShown) else None,
                pairing_code=fact.code if isinstance(fact, PairingCodeShown) else None,
                me=fact.me if isinstance(fact, Ready) else None,
            )
        if standing.state is SessionState.READY and before.state is not SessionState.READY:
            self._watchdog.ready(time.monotonic())
            self._traffic.begin(page, self.session.seen_until)
        elif standing.state is not SessionState.READY and before.state is SessionState.READY:
            self._watchdog.unready()
            self._traffic.pause()
        if remedy is Remedy.OPEN_ANEW:
            raise _Anew(standing.cause or "the page asked for it")
        if remedy is Remedy.FORGET_PROFILE:
            raise _Anew(standing.cause or "the profile is broken", forget=True)
        if remedy is Remedy.TAKE_OVER and self._traffic.options.take_over:
            await page.call(TakeOver())

    async def _looking(self, page: WebPage) -> None:
        """The watchdog's looks: memory, signs of life, somebody who links."""
        linked_at = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK)
            with suppress(PageError, OSError):
                self.memory = await page.memory()
            now = time.monotonic()
            complaint = self._watchdog.complaint(now, memory=self.memory, idle=not self._traffic.busy)
            if complaint is not None:
                raise _Anew(complaint.cause, counted=complaint.counted)
            if self._standing.state not in _UNLINKED:
                linked_at = now
            elif now - linked_at > self._house.settings.webjs_bridge_qr_patience:
                cause = "nobody linked a phone in time; start the session again"
                await self._stand(Standing(SessionState.STOPPED, cause), stops=True)
                raise _Over

    async def _answering(self, page: WebPage) -> None:
        """What people ask."""
        if self._deleting is not None:
            await self._unlink(page)
        while True:
            kind = await self._asked.get()
            data = self._asked_data.pop(kind)
            self._log.info("asked", kind=kind)
            try:
                match kind:
                    case "restart":
                        self._restarting = True
                        raise _Anew("a person asked for it", counted=False)
                    case "pair":
                        code = await page.call(Pair(phone=str(data["phone"])))
                        cause = "waits for the pairing code to be typed into the phone"
                        await self._stand(Standing(SessionState.PAIRING, cause), pairing_code=code)
                    case "delete":
                        await self._unlink(page)
                    case "logout":
                        self._unlinking = True
                        with suppress(PageError):
                            await page.call(Logout())
                        await self._unlinked(Standing(SessionState.STOPPED, "logged out by a person"))
            except PageError as error:
                self._log.warning("not_done", kind=kind, error=error.code)
                await self._stand(Standing(self._standing.state, f"{kind}: {error.detail}", self._standing.linked))

    async def _unlink(self, page: WebPage) -> None:
        """Remove the device; a page that cannot yet is asked again, until it ends or the session is left."""
        while True:
            opens = self._standing.state in (SessionState.STARTING, SessionState.OFFLINE) and not self._standing.linked
            if not opens:  # before it knows whether it is linked it would say that nothing is
                self._unlinking = True
                try:
                    await page.call(Logout())
                except PageError as error:
                    self._unlinking = False
                    if isinstance(error, PageGone):
                        raise
                    self._log.info("unlinking_waits", error=error.code)
                else:
                    await self._unlinked(Standing(SessionState.STOPPED, "deleted by a person"))
            await asyncio.sleep(_LOOK)

    async def _doubting(self) -> None:
        while True:
            await asyncio.sleep(self._house.settings.webjs_bridge_doubt_every)
            await self._traffic.clear_doubts()

    async def _unlinked(self, standing: Standing) -> None:
        """The device is not linked any more: nothing of it is kept, and nobody runs it until a person starts it."""
        self._unlinking = True
        await self._stand(standing, stops=True)
        raise _Over(forget=True)

    async def _stand(self, standing: Standing, **more: Any) -> None:
        """Write down and tell where the session stands; the database may be away for a while. Raises `Lost`."""
        self._standing = standing
        while True:
            if self.killed:
                raise Lost
            try:
                now = await self._house.standings.stand(
                    self.session, standing, restarts=self._watchdog.restarts, **more
                )
            except BlazzError as error:
                self._log.info("standing_waits", error=error.code)
                await asyncio.sleep(_LOOK)
                continue
            if now is None:
                raise Lost
            self.session = now
            self._log.info("session_stands", state=standing.state.value, cause=standing.cause)
            return

    async def _pause(self, anew: _Anew) -> None:
        """Say that the browser is opened anew, and wait a little longer each time that it was in vain."""
        pause = self._watchdog.pause(time.monotonic(), counted=anew.counted)
        restarts = self._watchdog.restarts
        alarm = restarts >= self._house.settings.webjs_bridge_restarts
        cause = f"{anew.cause}; opening it anew"
        if alarm:
            cause = f"{anew.cause}; opened {restarts} times in vain, an operator must look"
            self._log.error("session_alarm", cause=anew.cause, restarts=restarts)
        self._log.warning("page_opened_anew", cause=anew.cause, restarts=restarts, pause=pause)
        linked = self.session.phone is not None and not anew.forget
        standing = Standing(SessionState.OFFLINE if linked else SessionState.STARTING, cause)
        await self._stand(standing, forgets=anew.forget)
        if anew.forget:
            await self._house.profiles.forget(self.session.id)
            await self._traffic.close()
            self._traffic = Traffic(self.session, self._house)  # the next phone's, with nothing of this one
            await self._traffic.open()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._leaving.wait()

    async def _closed(self, page: WebPage) -> None:
        with suppress(PageError, TimeoutError):
            await (page.kill() if self.killed else page.close(within=_CLOSE))
