"""What goes through one session, both ways: sends, messages, ticks, and what was missed."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.errors import BlazzError, Unavailable
from blazz_contracts.events import SessionSend
from blazz_contracts.topology import session_queue
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge import incoming
from blazz_webjs_bridge.catching_up import CatchingUp, Unread
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.outcomes import Outcomes, Tick
from blazz_webjs_bridge.page.calls import Page
from blazz_webjs_bridge.page.errors import PageGone
from blazz_webjs_bridge.receiving import Receiving, Told
from blazz_webjs_bridge.sending import Sending
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

T = TypeVar("T")

_FINISH = 20.0  # seconds that what is under way gets when a session is let go
_AGAIN = 0.5  # seconds before ticks are written down again while the database is away
_MOST_TICKS = 10_000  # ticks that wait for it here; more are asked for later, by the journal
_CATCH_UP_AGAIN = 2.0  # seconds before the history is read again that could not be read; twice as many each time
_CATCH_UP_CAP = 60.0
_LOOKS = 4  # looks at messages that the page does not know: it may still be loading them


class Traffic:
    """The traffic of one session, as long as this instance owns it."""

    def __init__(self, session: Session, house: House) -> None:
        settings = house.settings
        journal = Journal(house.database, session.id, session.fence)
        outcomes = Outcomes(session, house.database, house.outbox, house.publisher)
        self._house, self._queue = house, session_queue(session.id)
        self._log = log.bind(session_id=str(session.id))
        self._sending = Sending(
            session.id,
            journal,
            outcomes,
            house.enclosures,
            files=house.profiles.files(session.id),
            pacing=session.options.pacing,
            send_timeout=settings.webjs_bridge_send_timeout,
            batch_wait=settings.webjs_bridge_batch_wait,
            give_up=settings.webjs_bridge_doubt_age,
        )
        self._receiving = Receiving(session, journal, house.publisher, house.library, options=session.options)
        self._catching_up = CatchingUp(
            session, journal, outcomes, self._receiving, margin=settings.webjs_bridge_history_margin
        )
        self._ticks: Batcher[Tick, None] = Batcher(
            outcomes.tick, name="ticks", max_items=500, max_wait=settings.webjs_bridge_batch_wait
        )
        self._seen_until = session.seen_until
        # The browser must have ended before somebody else may open its profile.
        self._finish = min(_FINISH, settings.webjs_bridge_lease / 2)
        self._page: Page | None = None
        self._caught_up = False  # until then what comes live moves no mark: something before it may be missing
        self._missed = False  # something came that found no room
        self._catching: asyncio.Task[None] | None = None
        self._ticking: set[asyncio.Task[None]] = set()
        self._ticks_missed = False
        self._apart: set[asyncio.Task[None]] = set()

    @property
    def options(self) -> SessionOptions:
        """What it goes by."""
        return self._receiving.options

    @options.setter
    def options(self, options: SessionOptions) -> None:
        self._receiving.options = options
        self._sending.pace.pacing = options.pacing

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return self._sending.busy or self._receiving.busy

    @property
    def seen_until(self) -> datetime | None:
        """Before this moment of WhatsApp's clock everything that came has been told."""
        told = self._receiving.seen_until
        if self._caught_up and told is not None:
            self._seen_until = told if self._seen_until is None else max(self._seen_until, told)
        return self._seen_until

    async def open(self) -> None:
        """Take commands from now on; until the page is ready they are given back. Raises `BrokerUnavailable`."""
        concurrency = self._house.settings.webjs_bridge_concurrency
        await self._house.queues.consume(self._queue, SessionSend, self._sending.handle, concurrency=concurrency)

    def expect(self) -> None:
        """The page is about to be ready."""
        self._sending.expect()

    def begin(self, page: Page, seen_until: datetime | None, phone: str | None = None) -> None:
        """The page is ready, linked to this number (digits): messages leave, what was missed comes in, doubts are
        looked up.

        `seen_until`: before it nothing was missed; the moment of linking where the session was never ready before.
        """
        self._hold()
        self._seen_until = max(filter(None, (self._seen_until, seen_until)), default=datetime.now(UTC))
        self._page = page
        self._receiving.begin(page)
        self._sending.begin(page, phone)
        self._catch_up(page)
        self._do_apart(self._sending.doubts.clear)

    def pause(self) -> None:
        """The page is not ready any more: what comes now waits at chat."""
        self._sending.pause()
        self._hold()
        self._page = None
        if self._catching is not None and not self._catching.done():
            self._missed = True  # what the page still reads is not the last word
            self._catching.cancel()

    def leave_page(self) -> None:
        """The page has ended."""
        self._sending.pause()
        self._hold()
        self._page = None
        self._receiving.leave_page()
        for task in list(self._apart):
            task.cancel()

    def take(self, told: Told) -> None:
        """Something came in."""
        if self._receiving.take(told):
            return
        self._hold()
        self._missed = True
        if self._page is not None and (self._catching is None or self._catching.done()):
            self._catch_up(self._page)

    def tick(self, provider_ids: Sequence[str], ack: int, at: int | None) -> None:
        """Messages came further."""
        now = datetime.now(UTC)
        when = min(incoming.at(at), now) if at else now
        for provider_id in provider_ids:
            if ack == 0 or not provider_id.startswith("true_"):
                continue
            if len(self._ticking) >= _MOST_TICKS:
                self._ticks_missed = True
                continue
            task = asyncio.create_task(self._tick(Tick(hex_in(provider_id), ack, when)), context=contextvars.Context())
            self._ticking.add(task)
            task.add_done_callback(self._ticking.discard)

    async def _tick(self, tick: Tick) -> None:
        while True:
            try:
                await self._ticks.submit(tick)
            except Unavailable:
                await asyncio.sleep(_AGAIN)  # the page tells an ack once
            except Exception:
                self._log.exception("tick_not_told")
                self._ticks_missed = True  # the page still has it
                return
            else:
                return

    async def _ticks_written(self, *, within: float) -> None:
        if self._ticking:
            await asyncio.wait(set(self._ticking), timeout=within)
        for task in list(self._ticking):
            task.cancel()

    # --- what was missed

    def _hold(self) -> None:
        """The mark moves no more until the history has been read."""
        _ = self.seen_until
        self._caught_up = False

    def _catch_up(self, page: Page) -> None:
        if self._catching is not None:
            self._catching.cancel()
        self._catching = self._do_apart(partial(self._catching_up_with, page))

    async def _catching_up_with(self, page: Page) -> None:
        """Read what was missed, as often as it takes; only then does the mark move again."""
        with suppress(PageGone):  # the next page begins with it
            while True:
                assert self._seen_until is not None
                await self._patiently(partial(self._catching_up.messages, page, self._seen_until))
                if not self._missed:
                    break
                self._missed = False  # the reading had begun before that came
            self._caught_up = True
            await self._catch_up_ticks(page)

    async def _catch_up_ticks(self, page: Page) -> None:
        self._ticks_missed = False
        unknown: list[Unread] | None = None
        with suppress(PageGone):
            for look in range(1, _LOOKS + 1):
                unknown = await self._patiently(partial(self._catching_up.ticks, page, unknown))
                if not unknown or look == _LOOKS:
                    return
                await asyncio.sleep(_CATCH_UP_AGAIN * look)

    async def _patiently(self, read: Callable[[], Awaitable[T]]) -> T:
        """Read, again and again until it could be. Raises `PageGone`."""
        pause = _CATCH_UP_AGAIN
        while True:
            try:
                return await read()
            except PageGone:
                raise
            except (BlazzError, TimeoutError) as error:
                self._log.warning("catching_up_waits", error=repr(error), seconds=pause)
            except Exception:
                self._log.exception("catching_up_failed")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _CATCH_UP_CAP)

    # ---

    async def clear_doubts(self) -> None:
        """Look up sends of unknown outcome."""
        if self._ticks_missed and not self._ticking and self._page is not None and self._caught_up:
            self._ticks_missed = False
            self._do_apart(partial(self._catch_up_ticks, self._page))
        try:
            await self._sending.doubts.clear()
        except BlazzError as error:
            self._log.info("doubts_wait", error=error.code)

    async def finish(self, gone: "asyncio.Future[str]") -> None:
        """Take no more commands; what is under way finishes while the page is there to do it: until it is `gone`."""
        self._sending.pause()
        draining = asyncio.create_task(self._receiving.drained(within=self._finish))
        await self._house.queues.release(self._queue, within=self._finish)
        waited: set[asyncio.Future[Any]] = {draining, gone}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()

    async def close(self, *, over: bool = False) -> None:
        """Take no more; let what is under way finish, and leave open what cannot. `over`: the session has ended."""
        self._sending.pause()
        await self._house.queues.release(self._queue, within=_FINISH)
        await asyncio.gather(self._receiving.close(within=_FINISH, over=over), self._ticks_written(within=_FINISH))
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH):
                await self._ticks.flush()
                await self._ticks.close()
                await self._sending.close()

    def _do_apart(self, work: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
        async def done() -> None:
            try:
                await work()
            except (BlazzError, TimeoutError) as error:
                self._log.warning("apart_failed", error=repr(error))
            except Exception:
                self._log.exception("apart_failed")

        task = asyncio.create_task(done(), context=contextvars.Context())
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)
        return task
