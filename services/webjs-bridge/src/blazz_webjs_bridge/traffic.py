"""What goes through one session, both ways: sends, messages, ticks, and what was missed."""

import asyncio
import contextvars
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.errors import BlazzError
from blazz_contracts.events import SessionSend
from blazz_contracts.topology import session_queue
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge.catching_up import CatchingUp
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.outcomes import Outcomes, Tick
from blazz_webjs_bridge.receiving import Receiving, Told
from blazz_webjs_bridge.sending import Page, Sending
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

_FINISH = 20.0  # seconds that what is under way gets when a session is let go


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
        self._apart: set[asyncio.Task[None]] = set()

    @property
    def options(self) -> SessionOptions:
        """What it goes by."""
        return self._receiving.options

    @options.setter
    def options(self, options: SessionOptions) -> None:
        self._receiving.options = options
        self._sending.pacing = options.pacing

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return self._sending.busy or self._receiving.busy

    @property
    def seen_until(self) -> datetime | None:
        """Before this moment of WhatsApp's clock everything that came has been told."""
        told = self._receiving.seen_until
        if told is not None and self._seen_until is not None:
            self._seen_until = max(self._seen_until, told)
        return self._seen_until

    async def open(self) -> None:
        """Take commands from now on; until the page is ready they are given back. Raises `BrokerUnavailable`."""
        concurrency = self._house.settings.webjs_bridge_concurrency
        await self._house.queues.consume(self._queue, SessionSend, self._sending.handle, concurrency=concurrency)

    def begin(self, page: Page, seen_until: datetime | None) -> None:
        """The page is ready: messages leave, what was missed comes in, doubts are looked up.

        `seen_until`: before it nothing was missed; the moment of linking where the session was never ready before.
        """
        self._seen_until = max(filter(None, (self._seen_until, seen_until)), default=datetime.now(UTC))
        self._receiving.begin(page)
        self._sending.begin(page)
        self._do_apart(self._catching_up.run(page, self._seen_until))
        self._do_apart(self._sending.clear_doubts())

    def pause(self) -> None:
        """The page is not ready any more: what comes now waits at chat."""
        self._sending.pause()

    def leave_page(self) -> None:
        """The page has ended."""
        self._sending.pause()
        for task in list(self._apart):
            task.cancel()

    def take(self, told: Told) -> None:
        """Something came in."""
        self._receiving.take(told)

    def tick(self, provider_ids: Sequence[str], ack: int, at: int | None) -> None:
        """Messages came further."""
        when = datetime.fromtimestamp(at, UTC) if at else datetime.now(UTC)
        for provider_id in provider_ids:
            if ack != 0 and provider_id.startswith("true_"):
                self._do_apart(self._ticks.submit(Tick(hex_in(provider_id), ack, when)))

    async def clear_doubts(self) -> None:
        """Look up sends of unknown outcome."""
        try:
            await self._sending.clear_doubts()
        except BlazzError as error:
            self._log.info("doubts_wait", error=error.code)

    async def close(self) -> None:
        """Take no more; let what is under way finish."""
        self._sending.pause()
        await self._house.queues.release(self._queue, within=_FINISH)
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH):
                await self._receiving.drained()
                await self._ticks.flush()
                await self._ticks.close()
                await self._sending.close()

    def _do_apart(self, work: Awaitable[object]) -> None:
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
