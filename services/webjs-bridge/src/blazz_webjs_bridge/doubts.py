"""Sends of unknown outcome: looked up in the page under their id, and sent again only where it never heard of them."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import structlog
from blazz_contracts.events import SessionSend

from blazz_webjs_bridge import outgoing
from blazz_webjs_bridge.handing_over import HandingOver
from blazz_webjs_bridge.in_hand import InHand, Key
from blazz_webjs_bridge.journal import Entry, Journal
from blazz_webjs_bridge.pacing import Pace
from blazz_webjs_bridge.page.calls import FindMessage, Page
from blazz_webjs_bridge.page.errors import PageError
from blazz_webjs_bridge.refusals import GIVEN_UP, NOT_TAKEN, Refused

log = structlog.get_logger(__name__)

_ASKED_AT_ONCE = 4  # doubts that are looked up in the page side by side
_LATER, _LATEST = 1.0, 300.0  # seconds between two tries of a doubt: at first, and at last


class Doubts:
    """The doubts of one session."""

    def __init__(
        self,
        session_id: UUID,
        journal: Journal,
        handing: HandingOver,
        in_hand: InHand,
        pace: Pace,
        page: Callable[[], Page | None],
        phone: Callable[[], str | None],
        *,
        give_up: float,
    ) -> None:
        """`page`: the page of the moment, where it is ready; `phone`: the number it is linked to (digits).

        `give_up`: seconds that a doubt is tried.
        """
        self._journal, self._handing, self._in_hand, self._pace = journal, handing, in_hand, pace
        self._page, self._phone, self._give_up = page, phone, give_up
        self._log = log.bind(session_id=str(session_id))
        self._clearing = asyncio.Lock()
        self._looking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._later: dict[Key, tuple[int, float]] = {}  # those that were tried: how often, and not before when again

    def begin(self) -> None:
        """A new page: what was tried may be tried again at once."""
        self._later.clear()

    async def clear(self) -> None:
        """Begin to look up what is journalled and of unknown outcome: sent, in the page's line, or never heard of.

        Each in a task of its own, so that none holds back another.
        """
        page = self._page()
        if page is None or self._clearing.locked():
            return
        async with self._clearing:
            entries = await self._journal.doubtful()
            keys = {(entry.message_id, entry.attempt) for entry in entries}
            self._later = {key: later for key, later in self._later.items() if key in keys}
            for entry in entries:
                key = (entry.message_id, entry.attempt)
                if key in self._in_hand or self._later.get(key, (0, 0.0))[1] > time.monotonic():
                    continue
                self._in_hand.take(key).set_result(None)  # it is in the journal
                self._in_hand.start(self._doubt(page, entry))

    async def _doubt(self, page: Page, entry: Entry) -> None:
        try:
            async with self._in_hand.turn(_to(entry)):
                await self._clear(page, entry)
        except PageError as error:
            self._log.info("doubt_stays", message_id=str(entry.message_id), error=error.code)
        except Exception as error:
            self._log.warning("doubt_stays", message_id=str(entry.message_id), error=repr(error))
        finally:
            self._in_hand.put_down((entry.message_id, entry.attempt))

    async def _clear(self, page: Page, entry: Entry) -> None:
        if not await self._unknown(page, entry):
            return
        tries = self._later.get((entry.message_id, entry.attempt), (0, 0.0))[0]
        pause = min(_LATEST, _LATER * 2 ** min(tries, 10))
        self._later[entry.message_id, entry.attempt] = (tries + 1, time.monotonic() + pause)
        try:
            await self._send_again(page, entry)
        except PageError:
            raise
        except Exception:
            # What is of the moment (its file cannot be had) is no refusal: the first one may have left.
            old = entry.created_at is not None and _age(entry.created_at) > self._give_up
            if old and await self._unknown(page, entry):
                await self._handing.settle(entry.message_id, entry.attempt, refused=GIVEN_UP)
            raise

    async def _unknown(self, page: Page, entry: Entry) -> bool:
        """Whether it is in doubt still and the page has never heard of it; what the page knows of it is settled."""
        if self._page() is not page or await self._journal.doubt(entry.message_id, entry.attempt) is None:
            return False
        async with self._looking:
            found = await page.call(FindMessage(id=entry.provider_message_id))
        if found is None:
            return True
        if found.ack != 0:  # at 0 the page has it, and sends it by itself once it can
            refused = NOT_TAKEN if found.ack < 0 else None
            await self._handing.settle(entry.message_id, entry.attempt, ack=max(found.ack, 0), refused=refused)
        return False

    async def _send_again(self, page: Page, entry: Entry) -> None:
        event = SessionSend.model_validate(entry.command)
        self._log.info("send_again", message_id=str(entry.message_id), attempt=entry.attempt)
        try:
            outgoing.refuse_late(event, self._phone(), in_doubt=True)
            send = outgoing.send_of(event, entry.chat, entry.provider_message_id)
            async with self._pace.kept(event, entry.chat) as waited:
                if waited and not await self._unknown(page, entry):
                    return
                await self._handing.with_file(page, event, send)
        except Refused as refused:
            if refused.refusal.passing:
                raise
            await self._handing.settle(entry.message_id, entry.attempt, refused=refused.refusal)


def _age(at: datetime) -> float:
    return (datetime.now(UTC) - at).total_seconds()


def _to(entry: Entry) -> str:
    to = (entry.command or {}).get("to") or {}
    return str(to.get("lid") or to.get("phone") or entry.chat)
