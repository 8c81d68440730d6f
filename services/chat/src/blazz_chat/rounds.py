"""What chat looks after again and again: sends that are due, attempts to settle, files to fetch, old rows to forget."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from blazz_chassis.app import Service
from blazz_chassis.errors import Unavailable

from blazz_chat import feed
from blazz_chat.abandoning import Abandoning
from blazz_chat.dispatch import Dispatch
from blazz_chat.fetching import Fetching
from blazz_chat.notices import Notices
from blazz_chat.reclaiming import Reclaiming
from blazz_chat.settings import Settings
from blazz_chat.settling import Settling
from blazz_chat.statuses import Statuses

log = structlog.get_logger(__name__)

_PURGE_EVERY = 3600.0
_SETTLE_EVERY = 1.0
_FETCH_EVERY = 2.0


class Rounds:
    """The background work of one instance. Every instance does all of it: rows are claimed, so none is done twice."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        dispatch: Dispatch,
        settling: Settling,
        reclaiming: Reclaiming,
        abandoning: Abandoning,
        fetching: Fetching,
        statuses: Statuses,
        notices: Notices,
    ) -> None:
        self._service = service
        self._settings = settings
        self._dispatch = dispatch
        self._settling = settling
        self._reclaiming = reclaiming
        self._abandoning = abandoning
        self._fetching = fetching
        self._statuses = statuses
        self._notices = notices
        self._fetch = asyncio.Event()

    def start(self) -> None:
        """Add the rounds to the service."""
        service, settings = self._service, self._settings
        service.background("dispatch", self._dispatching, finishes=True)
        service.background("due", lambda: self._every(settings.chat_poll, self._due))
        service.background("settling", lambda: self._every(_SETTLE_EVERY, self._settle))
        service.background("fetching", lambda: self._every(_FETCH_EVERY, self._fetch_due, self._fetch))
        service.background("purging", lambda: self._every(_PURGE_EVERY, self._purge))

    def fetch_soon(self) -> None:
        """A file has come."""
        self._fetch.set()

    async def _every(
        self, seconds: float, work: Callable[[], Awaitable[object]], told: asyncio.Event | None = None
    ) -> None:
        told = told or asyncio.Event()
        while True:
            told.clear()
            try:
                await work()
            except Unavailable as error:
                log.info("round_waits", error=error.code)
            try:
                async with asyncio.timeout(seconds):
                    await told.wait()
            except TimeoutError:
                continue

    async def _dispatching(self) -> None:
        await self._service.stopping.wait()
        await self._dispatch.stop()

    async def _due(self) -> None:
        claims = self._dispatch.claims
        while await claims.wake():
            pass
        for channel_id in await claims.ready():
            self._dispatch.poke(channel_id)

    async def _settle(self) -> None:
        for channel_id in await self._settling.run_once() | await self._reclaiming.run_once():
            self._dispatch.poke(channel_id)
        while await self._abandoning.run_once():
            pass

    async def _fetch_due(self) -> None:
        while await self._fetching.run_once():
            pass

    async def _purge(self) -> None:
        """Each on its own: one that fails keeps nothing else from being forgotten."""
        notices = partial(self._notices.purge, days=self._settings.chat_notice_days)
        for name, purge in (("changes", self._purge_changes), ("notices", notices), ("statuses", self._statuses.purge)):
            try:
                while await purge():
                    pass
            except Unavailable as error:
                log.warning("purge_waits", of=name, error=error.code)
            except Exception:
                log.exception("purge_failed", of=name)

    async def _purge_changes(self) -> bool:
        async with self._service.database.worker() as connection:
            return await feed.purge(connection, days=self._settings.chat_feed_days)
