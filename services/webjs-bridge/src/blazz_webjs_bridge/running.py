"""One session as this instance runs it: from the lease until it is let go, through as many browsers as it takes."""

import asyncio
import contextvars
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.errors import BlazzError
from blazz_contracts.events import SessionSend
from blazz_contracts.session import SessionState
from blazz_contracts.topology import session_queue
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge.catching_up import CatchingUp
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.leases import Sign
from blazz_webjs_bridge.outcomes import Outcomes, Tick
from blazz_webjs_bridge.page.calls import Logout, Pair, RefreshQr, TakeOver
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
from blazz_webjs_bridge.receiving import Receiving
from blazz_webjs_bridge.sending import Sending
from blazz_webjs_bridge.session import Session
from blazz_webjs_bridge.state import Remedy, Standing, after
from blazz_webjs_bridge.watchdog import Watchdog

log = structlog.get_logger(__name__)

_LOOK = 1.0  # seconds between two looks at the page
_FINISH = 20.0  # seconds that messages under way get when a session is let go
_CLOSE = 10.0  # seconds that a browser gets to write its profile


class _Anew(Exception):
    """The browser must be opened anew."""

    def __init__(self, cause: str, *, counted: bool = True, forget: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.counted, self.forget = cause, counted, forget


class _Over(Exception):
    """The session has ended by itself, until a person starts it again."""


class Lost(Exception):
    """Another instance owns the session."""


class Running:
    """One session that this instance runs."""

    def __init__(self, session: Session, house: House) -> None:
        settings = house.settings
        self.session, self._house = session, house
        self._log = log.bind(session_id=str(session.id))
        self._journal = Journal(house.database, session.id, session.fence)
        self._outcomes = Outcomes(session, house.database, house.outbox, house.publisher)
        self._sending = Sending(
            session.id,
            self._journal,
            self._outcomes,
            house.enclosures,
            files=house.profiles.files(session.id),
            pacing=session.options.pacing,
            send_timeout=settings.webjs_bridge_send_timeout,
            batch_wait=settings.webjs_bridge_batch_wait,
        )
        self._receiving = Receiving(session, self._journal, house.publisher, house.library, options=session.options)
        self._catching_up = CatchingUp(
            session, self._journal, self._outcomes, self._receiving, margin=settings.webjs_bridge_history_margin
        )
        self._ticks: Batcher[Tick, None] = Batcher(
            self._outcomes.tick, name="ticks", max_items=500, max_wait=settings.webjs_bridge_batch_wait
        )
        self._watchdog = Watchdog(
            frozen=settings.webjs_bridge_frozen,
            memory_limit=settings.webjs_bridge_session_memory,
            first=settings.webjs_bridge_restart_first,
            cap=settings.webjs_bridge_restart_cap,
            restarts=session.restarts,
        )
        self._queue = session_queue(session.id)
        self._standing = Standing(session.state, session.cause)
        self._facts: asyncio.Queue[Fact] = asyncio.Queue()
        self._asked: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._leaving = asyncio.Event()
        self._seen_until = session.seen_until
        self._apart: set[asyncio.Task[None]] = set()
        self._page: WebPage | None = None
        self._heard: datetime | None = None
        self._unlinked_since = time.monotonic()
        self.memory: int | None = None

    # --- what the fleet asks

    def ask(self, kind: str, data: dict[str, Any]) -> None:
        """Do what a person asks: restart, logout, pair."""
        self._asked.put_nowait((kind, data))

    def leave(self) -> None:
        """Finish what is under way and let the session go."""
        self._leaving.set()

    def set_options(self, options: SessionOptions) -> None:
        """Go by other options from now on."""
        self._receiving.options = options
        self._sending.pacing = options.pacing

    def sign(self) -> Sign:
        """A sign of life, for the lease."""
        return Sign(self.session.id, self.session.fence, self._heard, self.memory, self._seen())

    def _seen(self) -> datetime | None:
        told = self._receiving.seen_until
        if told is not None and self._seen_until is not None:
            self._seen_until = max(self._seen_until, told)
        return self._seen_until

    # --- its life

    async def run(self) -> None:
        """Run it until it is left, lost or over. Raises `Lost`."""
        try:
            await self._house.queues.consume(
                self._queue,
                SessionSend,
                self._sending.handle,
                concurrency=self._house.settings.webjs_bridge_concurrency,
            )
            while not self._leaving.is_set():
                try:
                    await self._one_browser()
                except _Anew as anew:
                    await self._pause(anew)
                except PageError as error:
                    await self._pause(_Anew(f"{error.title}: {error.detail}"))
        except _Over:
            pass
        finally:
            await self._let_go()

    async def kill(self) -> None:
        """End it at once: somebody else owns it, and nothing of it may go on here."""
        self._leaving.set()
        self._sending.pause()
        if self._page is not None:
            await self._page.kill()

    async def _one_browser(self) -> None:
        """Open the page and do what it tells until it ends."""
        house, profiles = self._house, self._house.profiles
        await profiles.prepare(self.session.id)
        if self._standing.state not in (SessionState.STARTING, SessionState.OFFLINE):
            await self._stand(Standing(SessionState.STARTING, "opening WhatsApp Web"))
        self._facts = asyncio.Queue()
        async with asyncio.timeout(house.settings.webjs_bridge_open_timeout):
            self._page = page = await house.open_page(self.session.id, self._facts.put_nowait)
        self._watchdog.opened(time.monotonic())
        self._unlinked_since = time.monotonic()
        self._log.info("page_opened", pid=page.pid)
        try:
            await self._serve(page)
        finally:
            self._sending.pause()
            self._page = None
            for task in list(self._apart):
                task.cancel()
            await self._closed(page)

    async def _serve(self, page: WebPage) -> None:
        waits: set[asyncio.Future[Any]] = {
            asyncio.create_task(self._hearing(page)),
            asyncio.create_task(self._looking(page)),
            asyncio.create_task(self._answering(page)),
            asyncio.create_task(self._doubting()),
            asyncio.create_task(self._leaving.wait()),
        }
        gone: asyncio.Future[Any] = asyncio.shield(page.gone)
        try:
            done, _ = await asyncio.wait({*waits, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        for task in done - {gone}:
            task.result()  # raises why it ended
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
                    self._tick(ids, ack, at)
                case Arrived() | Edited() | Revoked() | Reacted() | Called():
                    self._receiving.take(fact)
                case QrIdle():
                    await page.call(RefreshQr())
                case _:
                    await self._moved(page, fact)

    def _tick(self, ids: list[str], ack: int, at: int | None) -> None:
        when = datetime.fromtimestamp(at, UTC) if at else datetime.now(UTC)
        for provider_id in ids:
            if ack != 0 and provider_id.startswith("true_"):
                self._do_apart(self._ticks.submit(Tick(hex_in(provider_id), ack, when)))

    async def _moved(self, page: WebPage, fact: Fact) -> None:
        before = self._standing
        standing, remedy = after(before, fact)
        if remedy is Remedy.LINK_ANEW:
            await self._stand(standing, stops=True)
            await self._closed(page)
            await self._house.profiles.forget(self.session.id)
            raise _Over
        codes = isinstance(fact, QrShown | PairingCodeShown)
        if standing != before or codes or isinstance(fact, Ready):
            await self._stand(
                standing,
                qr=fact.code if isinstance(fact, QrShown) else None,
                pairing_code=fact.code if isinstance(fact, PairingCodeShown) else None,
                me=fact.me if isinstance(fact, Ready) else None,
            )
        if standing.state is SessionState.READY and before.state is not SessionState.READY:
            self._ready(page)
        elif standing.state is not SessionState.READY and before.state is SessionState.READY:
            self._sending.pause()
            self._watchdog.unready()
        if remedy is Remedy.OPEN_ANEW:
            raise _Anew(standing.cause or "the page asked for it")
        if remedy is Remedy.FORGET_PROFILE:
            raise _Anew(standing.cause or "the profile is broken", forget=True)
        if remedy is Remedy.TAKE_OVER and self._receiving.options.take_over:
            await page.call(TakeOver())

    def _ready(self, page: WebPage) -> None:
        self._watchdog.ready(time.monotonic())
        self._receiving.begin(page)
        self._sending.begin(page)
        since = self._seen_until
        if since is None:
            self._seen_until = datetime.now(UTC)  # linked for the first time: its history is not ours
        self._do_apart(self._catching_up.run(page, since))
        self._do_apart(self._sending.clear_doubts())

    async def _looking(self, page: WebPage) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            with suppress(PageError, OSError):
                self.memory = await page.memory()
            now = time.monotonic()
            idle = not self._sending.busy and not self._receiving.busy
            complaint = self._watchdog.complaint(now, memory=self.memory, idle=idle)
            if complaint is not None:
                raise _Anew(complaint, counted=not complaint.endswith("memory"))
            if self._standing.state in (SessionState.QR, SessionState.PAIRING):
                if now - self._unlinked_since > self._house.settings.webjs_bridge_qr_patience:
                    cause = "nobody linked a phone in time; start the session again"
                    await self._stand(Standing(SessionState.STOPPED, cause), stops=True)
                    raise _Over
            else:
                self._unlinked_since = now

    async def _answering(self, page: WebPage) -> None:
        while True:
            kind, data = await self._asked.get()
            self._log.info("asked", kind=kind)
            try:
                match kind:
                    case "restart":
                        raise _Anew("a person asked for it", counted=False)
                    case "pair":
                        code = await page.call(Pair(phone=str(data["phone"])))
                        await self._stand(
                            Standing(SessionState.PAIRING, "waits for the pairing code to be typed into the phone"),
                            pairing_code=code,
                        )
                    case "logout":
                        await self._log_out(page)
            except PageError as error:
                self._log.warning("not_done", kind=kind, error=error.code)
                await self._stand(Standing(self._standing.state, f"{kind}: {error.detail}", self._standing.linked))

    async def _log_out(self, page: WebPage) -> None:
        with suppress(PageError):
            await page.call(Logout())
        await self._stand(Standing(SessionState.STOPPED, "logged out by a person"), stops=True)
        await self._closed(page)
        await self._house.profiles.forget(self.session.id)
        raise _Over

    async def _doubting(self) -> None:
        while True:
            await asyncio.sleep(self._house.settings.webjs_bridge_doubt_every)
            try:
                await self._sending.clear_doubts()
            except BlazzError as error:
                self._log.info("doubts_wait", error=error.code)

    async def _stand(self, standing: Standing, **more: Any) -> None:
        """Write down and tell where the session stands; the database may be away for a while. Raises `Lost`."""
        self._standing = standing
        while True:
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
        pause = self._watchdog.pause(time.monotonic(), counted=anew.counted)
        alarm = self._watchdog.restarts >= self._house.settings.webjs_bridge_restarts
        (self._log.error if alarm else self._log.warning)(
            "page_opened_anew", cause=anew.cause, restarts=self._watchdog.restarts, pause=pause
        )
        if anew.forget:
            await self._house.profiles.forget(self.session.id)
        cause = f"{anew.cause}; opening it anew"
        if alarm:
            cause = f"{anew.cause}; opened {self._watchdog.restarts} times in vain, an operator must look"
        state = SessionState.STARTING if anew.forget or not self._linked else SessionState.OFFLINE
        await self._stand(Standing(state, cause))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._leaving.wait()

    @property
    def _linked(self) -> bool:
        return self.session.phone is not None

    def _do_apart(self, work: Any) -> None:
        async def done() -> None:
            try:
                await work
            except (BlazzError, TimeoutError) as error:
                self._log.warning("apart_failed", error=repr(error))
            except Exception:
                self._log.exception("apart_failed")

        task = asyncio.create_task(done(), context=contextvars.Context())
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)

    async def _closed(self, page: WebPage) -> None:
        with suppress(PageError, TimeoutError):
            await page.close(within=_CLOSE)

    async def _let_go(self) -> None:
        self._sending.pause()
        await self._house.queues.release(self._queue, within=_FINISH)
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH):
                await self._receiving.drained()
                await self._ticks.flush()
                await self._ticks.close()
                await self._sending.close()
