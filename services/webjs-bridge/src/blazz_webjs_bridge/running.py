"""One session as this instance runs it: from the lease until it is let go, through as many browsers as it takes."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from blazz_contracts.session import SessionState
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge.endings import Anew, Over
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.leases import Sign
from blazz_webjs_bridge.opening import Opening
from blazz_webjs_bridge.page.calls import RefreshQr, TakeOver
from blazz_webjs_bridge.page.errors import PageError
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
from blazz_webjs_bridge.position import Position
from blazz_webjs_bridge.session import Session
from blazz_webjs_bridge.state import Remedy, Standing, after
from blazz_webjs_bridge.traffic import Traffic
from blazz_webjs_bridge.watchdog import Watchdog
from blazz_webjs_bridge.wishes import Wishes

log = structlog.get_logger(__name__)

_LOOK = 1.0  # seconds between two looks at the page
_CLOSE = 10.0  # seconds that a browser gets to write its profile
_UNLINK = 30.0  # seconds that a deleted session gets, in one browser or several, to remove its device
_UNLINKED = (SessionState.QR, SessionState.PAIRING)


class Running:
    """One session that this instance runs."""

    def __init__(self, session: Session, house: House) -> None:
        settings = house.settings
        self._house = house
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
        self._position = Position(session, house.standings, lambda: self._watchdog.restarts)
        self._wishes = Wishes(self._position)
        self._facts: asyncio.Queue[Fact] = asyncio.Queue()
        self._leaving = asyncio.Event()
        self._deleting: asyncio.TimerHandle | None = None
        self._page: WebPage | None = None
        self._opening = Opening(self._leaving, within=settings.webjs_bridge_open_timeout)
        self._heard: datetime | None = None

    # --- what the fleet asks

    @property
    def session(self) -> Session:
        """The session as it was last written down."""
        return self._position.session

    @property
    def killed(self) -> bool:
        """Whether nothing of it may go on here."""
        return self._position.killed

    def ask(self, kind: str, data: dict[str, Any]) -> None:
        """Do what a person asks: restart, logout, pair. What waits already, or a restart under way, is done once."""
        self._wishes.ask(kind, data)

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
        seen_until = None if self._position.unlinking else self._traffic.seen_until
        return Sign(self.session.id, self.session.fence, self._heard, self.memory, seen_until)

    async def kill(self) -> None:
        """End it at once: somebody else owns it, and nothing of it may go on here."""
        self._position.killed = True
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
                except Anew as anew:
                    await self._pause(anew)
                except (PageError, TimeoutError) as error:
                    cause = error.detail if isinstance(error, PageError) else "WhatsApp Web did not open in time"
                    await self._pause(Anew(cause))
        except Over as over:
            is_over = True
            if over.forget:
                await self._house.profiles.forget(self.session.id)
        finally:
            await self._traffic.close(over=is_over)

    async def _one_browser(self) -> None:
        """Open the page and do what it tells until it ends."""
        house, session_id = self._house, self.session.id
        await house.profiles.prepare(session_id)
        if self._position.standing.state not in (SessionState.STARTING, SessionState.OFFLINE):
            await self._position.stand(Standing(SessionState.STARTING, "opening WhatsApp Web"))
        self._facts = asyncio.Queue()
        page = await self._opening.page(lambda: house.open_page(session_id, self._facts.put_nowait))
        if page is None:
            return
        self._page = page
        self._wishes.opened()
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
            if self._position.unlinking and done == {gone}:
                # A page that ends while it is unlinked ends for that: let it be written down.
                done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in doing:
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)
        for task in done - {gone}:
            task.result()
        if gone in done and not self._leaving.is_set():
            raise Anew(f"the browser has ended ({page.gone.result()})")

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
        if self._position.unlinking:
            return  # what the page tells now, such as a new code, is of a session that has ended
        before = self._position.standing
        standing, remedy = after(before, fact)
        if remedy is Remedy.LINK_ANEW:
            await self._position.unlinked(standing)
        if standing.state is SessionState.READY and before.state is not SessionState.READY:
            self._traffic.expect()
        if standing != before or isinstance(fact, QrShown | PairingCodeShown | Ready):
            await self._position.stand(
                standing,
                qr=fact.code if isinstance(fact, QrShown) else None,
                pairing_code=fact.code if isinstance(fact, PairingCodeShown) else None,
                code_seconds=fact.seconds if isinstance(fact, QrShown | PairingCodeShown) else None,
                me=fact.me if isinstance(fact, Ready) else None,
            )
        if standing.state is SessionState.READY and before.state is not SessionState.READY:
            self._watchdog.ready(time.monotonic())
            self._traffic.begin(page, self.session.seen_until, self.session.phone)
        elif standing.state is not SessionState.READY and before.state is SessionState.READY:
            self._watchdog.unready()
            self._traffic.pause()
        if remedy is Remedy.OPEN_ANEW:
            raise Anew(standing.cause or "the page asked for it")
        if remedy is Remedy.FORGET_PROFILE:
            raise Anew(standing.cause or "the profile is broken", forget=True)
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
                raise Anew(complaint.cause, counted=complaint.counted)
            if self._position.standing.state not in _UNLINKED:
                linked_at = now
            elif now - linked_at > self._house.settings.webjs_bridge_qr_patience:
                cause = "nobody linked a phone in time; start the session again"
                await self._position.stand(Standing(SessionState.STOPPED, cause), stops=True)
                raise Over

    async def _answering(self, page: WebPage) -> None:
        """What people ask."""
        if self._deleting is not None:
            await self._wishes.unlink(page)
        await self._wishes.answer(page)

    async def _doubting(self) -> None:
        while True:
            await asyncio.sleep(self._house.settings.webjs_bridge_doubt_every)
            await self._traffic.clear_doubts()

    async def _pause(self, anew: Anew) -> None:
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
        await self._position.stand(standing, forgets=anew.forget)
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
