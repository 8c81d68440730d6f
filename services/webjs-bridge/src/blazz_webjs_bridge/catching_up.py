"""After a session was away: what came meanwhile is read from the page's history, and ticks are asked for."""

import asyncio
from datetime import UTC, datetime

import structlog

from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.outcomes import Outcomes, Tick
from blazz_webjs_bridge.page.calls import FindMessage, History
from blazz_webjs_bridge.page.facts import Arrived
from blazz_webjs_bridge.receiving import Receiving
from blazz_webjs_bridge.sending import Page
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

_PAGE = 500  # messages read at once
_MOST = 20_000  # messages of one absence; more would be an import, not a catching up
_ASKED_AT_ONCE = 16


class CatchingUp:
    """Reads what one session missed."""

    def __init__(self, session: Session, journal: Journal, outcomes: Outcomes, receiving: Receiving, *, margin: float):
        """`margin`: seconds before the last message seen that are read again."""
        self._session, self._journal, self._outcomes, self._receiving = session, journal, outcomes, receiving
        self._margin = margin

    async def run(self, page: Page, seen_until: datetime) -> None:
        """Bring in what came since."""
        await self._messages(page, int(seen_until.timestamp() - self._margin))
        await self._ticks(page)

    async def _messages(self, page: Page, since: int) -> None:
        groups = self._receiving.options.groups
        offset = 0
        while offset < _MOST:
            found = await page.call(History(since=since, groups=groups, limit=_PAGE, offset=offset))
            for message in found:
                self._receiving.take(Arrived(message=message))
            offset += len(found)
            if len(found) < _PAGE:
                break
        log.info("caught_up", session_id=str(self._session.id), since=since, messages=offset)

    async def _ticks(self, page: Page) -> None:
        """Messages that were delivered or read while nobody listened."""
        places = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def asked(provider_id: str, ack: int) -> Tick | None:
            async with places:
                found = await page.call(FindMessage(id=provider_id))
            moved = found is not None and found.ack > ack
            return Tick(hex_in(provider_id), found.ack, datetime.now(UTC)) if found is not None and moved else None

        answers = await asyncio.gather(*(asked(*each) for each in await self._journal.recent()))
        ticks = [tick for tick in answers if tick is not None]
        if ticks:
            await self._outcomes.tick(ticks)
