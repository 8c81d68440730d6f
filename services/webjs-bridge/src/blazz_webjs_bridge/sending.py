"""Sending through one session: what chat asks is journalled, handed to the page once, and told.

An attempt of unknown outcome (the page crashed, the process was killed) stays in the journal. It is looked up in the
page under the id it was given, and sent again under the same id only when the page has never heard of it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.crashpoints import reach
from blazz_chassis.errors import DependencyDown
from blazz_contracts import Envelope
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from blazz_contracts.views.session import Pacing

from blazz_webjs_bridge import outgoing
from blazz_webjs_bridge.enclosures import Enclosures
from blazz_webjs_bridge.journal import Entry, Journal, hex_of
from blazz_webjs_bridge.outcomes import Outcomes, Settled
from blazz_webjs_bridge.page.calls import Call, FindMessage, FindPerson, Send, Typing
from blazz_webjs_bridge.page.errors import PageError, PageRefused
from blazz_webjs_bridge.page.words import Somebody
from blazz_webjs_bridge.refusals import EXPIRED, NOT_ON_WHATSAPP, NOT_TAKEN, Refusal, Refused, by_page

log = structlog.get_logger(__name__)

A = TypeVar("A")

_MOST_PEOPLE = 20_000  # whom a session remembers; asking again costs a call to the page
_PAGE_HICCUP = 1.0  # seconds before a message is given back that met a page in trouble


class Page(Protocol):
    """What sending needs of a page."""

    async def call(self, call: Call[A], *, within: float | None = None) -> A:
        """Ask the page."""


class LostSession(DependencyDown):
    """Another instance runs this session now."""

    code, title = "session_lost", "Another instance runs this session"


class Sending:
    """The sends of one session, as long as this instance owns it."""

    def __init__(
        self,
        session_id: UUID,
        journal: Journal,
        outcomes: Outcomes,
        enclosures: Enclosures,
        *,
        files: Path,
        pacing: Pacing,
        send_timeout: float,
        batch_wait: float,
    ) -> None:
        """`files`: a folder for files on their way. Times in seconds."""
        self._journal, self._outcomes, self._enclosures = journal, outcomes, enclosures
        self._files, self._send_timeout = files, send_timeout
        self.pacing = pacing
        self._log = log.bind(session_id=str(session_id))
        self._journals: Batcher[tuple[SessionSend, str], bool] = Batcher(
            journal.write, name="journal", max_items=100, max_wait=0.0
        )
        self.settled: Batcher[Settled, None] = Batcher(
            outcomes.settle, name="outcomes", max_items=500, max_wait=batch_wait
        )
        self._page: Page | None = None
        self._people: dict[Person, Somebody | None] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pace = asyncio.Lock()
        self._under_way: set[tuple[UUID, int]] = set()

    def begin(self, page: Page) -> None:
        """The page is ready: messages may leave."""
        self._page = page

    def pause(self) -> None:
        """The page is not ready any more: what comes now waits at chat."""
        self._page = None

    @property
    def busy(self) -> bool:
        """Whether a message is on its way through the page."""
        return bool(self._under_way)

    async def handle(self, event: SessionSend, _envelope: Envelope) -> None:
        """Send one message, or say why not. Returning means that the broker may forget it."""
        key = (event.message_id, event.attempt)
        if key in self._under_way:
            return  # a copy: the first one tells
        self._under_way.add(key)
        try:
            async with self._turn(event.to.lid or event.to.phone or ""):
                await self._handle(event)
        finally:
            self._under_way.discard(key)
        reach("bridge.before_ack")

    async def _handle(self, event: SessionSend) -> None:
        page = self._page
        if page is None:
            await self._known_or_returned(event)
            return
        try:
            person = await self._find(page, event.to)
            if person is None:
                raise Refused(NOT_ON_WHATSAPP)
            if event.expires_at is not None and event.expires_at < datetime.now(UTC):
                raise Refused(EXPIRED)
            provider_id = f"true_{person.chat}_{hex_of(event.message_id, event.attempt)}"
            send = outgoing.send_of(event, person.chat, provider_id)
            async with self._enclosures.added(event, send, self._files) as call, self._paced(event, person, page):
                if not await self._journals.submit((event, person.chat)):
                    await self._known(event)
                    return
                reach("bridge.journalled")
                await self._hand_over(page, event.message_id, event.attempt, call)
        except Refused as refused:
            await self._refuse(event, refused.refusal)
        except PageError as error:
            if isinstance(error, PageRefused) and not error.passing:
                await self._refuse(event, by_page(error.reason, error.detail))
                return
            # It met the page in trouble before it was written down: nothing has left.
            self._log.info("send_returned", message_id=str(event.message_id), error=error.code)
            await asyncio.sleep(_PAGE_HICCUP)
            await self._known_or_returned(event)

    async def _hand_over(self, page: Page, message_id: UUID, attempt: int, call: Send) -> None:
        """The one place where a message goes to the page. What is not known afterwards stays journalled."""
        try:
            sent = await page.call(call, within=self._send_timeout)
        except PageRefused as error:
            # Refused before or after it was put in line? The page itself knows. What it will take later stays in doubt.
            if not error.passing and await self._found(page, call.id) is None:
                await self._settle(message_id, attempt, refused=by_page(error.reason, error.detail))
            return
        except PageError as error:
            self._log.warning("send_in_doubt", message_id=str(message_id), error=error.code)
            return
        reach("bridge.answered")
        if sent.ack > 0:
            await self._settle(message_id, attempt, ack=sent.ack)

    async def clear_doubts(self) -> None:
        """Look up what is journalled and of unknown outcome: sent, still in the page's line, or never heard of."""
        page = self._page
        if page is None:
            return
        for entry in await self._journal.doubtful():
            key = (entry.message_id, entry.attempt)
            if key in self._under_way or self._page is not page:
                continue
            self._under_way.add(key)
            try:
                async with self._turn(_to(entry)):
                    await self._clear(page, entry)
            except PageError as error:
                self._log.info("doubt_stays", message_id=str(entry.message_id), error=error.code)
            finally:
                self._under_way.discard(key)

    async def _clear(self, page: Page, entry: Entry) -> None:
        found = await page.call(FindMessage(id=entry.provider_message_id))
        if found is not None and found.ack == 0:
            return  # the page has it and sends it by itself once it can
        if found is not None and found.ack > 0:
            await self._settle(entry.message_id, entry.attempt, ack=found.ack)
            return
        if found is not None:
            await self._settle(entry.message_id, entry.attempt, refused=NOT_TAKEN)
            return
        if entry.command is None:
            return
        event = SessionSend.model_validate(entry.command)
        self._log.info("send_again", message_id=str(entry.message_id), attempt=entry.attempt)
        try:
            if event.expires_at is not None and event.expires_at < datetime.now(UTC):
                raise Refused(EXPIRED)
            send = outgoing.send_of(event, entry.chat, entry.provider_message_id)
            async with self._enclosures.added(event, send, self._files) as call:
                await self._hand_over(page, entry.message_id, entry.attempt, call)
        except Refused as refused:
            await self._settle(entry.message_id, entry.attempt, refused=refused.refusal)

    async def _found(self, page: Page, provider_id: str) -> object | None:
        try:
            return await page.call(FindMessage(id=provider_id))
        except PageError:
            return provider_id  # nobody knows: it stays in doubt

    async def _settle(self, message_id: UUID, attempt: int, *, ack: int = 0, refused: Refusal | None = None) -> None:
        await self.settled.submit(Settled(message_id, attempt, ack, refused))

    async def _refuse(self, event: SessionSend, refusal: Refusal) -> None:
        known = await self._journal.get(event.message_id, event.attempt)
        if known is None:
            await self._outcomes.refused(event, refusal)
        elif known.state != "journalled":
            await self._outcomes.again(known)

    async def _known_or_returned(self, event: SessionSend) -> None:
        known = await self._journal.get(event.message_id, event.attempt)
        if known is None:
            await self._outcomes.returned(event)
        elif known.state != "journalled":
            await self._outcomes.again(known)

    async def _known(self, event: SessionSend) -> None:
        """It is in the journal: told again when its outcome is known, else looked up with the other doubts."""
        known = await self._journal.get(event.message_id, event.attempt)
        if known is None:
            raise LostSession("this instance has lost the session; its new owner sends")
        if known.state != "journalled":
            await self._outcomes.again(known)

    async def _find(self, page: Page, to: Person) -> Somebody | None:
        if to not in self._people:
            found = await page.call(FindPerson(phone=to.phone, lid=to.lid))
            if found is None:
                return None  # not remembered: they may join any moment
            if len(self._people) >= _MOST_PEOPLE:
                self._people.clear()
            self._people[to] = found
        return self._people[to]

    def _turn(self, whom: str) -> asyncio.Lock:
        """Messages to one person leave in the order in which they were asked for."""
        turn = self._turns.get(whom)
        if turn is None:
            turn = self._turns[whom] = asyncio.Lock()
        return turn

    @asynccontextmanager
    async def _paced(self, event: SessionSend, person: Somebody, page: Page) -> AsyncIterator[None]:
        """At a person's pace, one after another, where the session's options say so."""
        pacing = self.pacing
        if not pacing.longest_pause and not pacing.typing:
            yield
            return
        async with self._pace:
            shortest = min(pacing.shortest_pause, pacing.longest_pause)
            await asyncio.sleep(random.uniform(shortest, pacing.longest_pause))  # noqa: S311 - dice, no secret
            if pacing.typing and (seconds := outgoing.typing_seconds(event)):
                await page.call(Typing(chat=person.chat, seconds=seconds), within=seconds + 10)
            yield

    async def close(self) -> None:
        """Flush what waits in batches."""
        for batcher in (self._journals, self.settled):
            await batcher.flush()
            await batcher.close()


def _to(entry: Entry) -> str:
    to = (entry.command or {}).get("to") or {}
    return str(to.get("lid") or to.get("phone") or entry.chat)
