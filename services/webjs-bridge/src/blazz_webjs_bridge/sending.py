"""Sending through one session: what chat asks is journalled, handed to the page once, and told.

An attempt of unknown outcome (the page crashed, the process was killed) stays in the journal. It is looked up in the
page under the id it was given, and sent again under the same id only when the page has never heard of it.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
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
from blazz_webjs_bridge.refusals import EXPIRED, GIVEN_UP, NOT_ON_WHATSAPP, NOT_TAKEN, Refusal, Refused, by_page

log = structlog.get_logger(__name__)

A = TypeVar("A")
Key = tuple[UUID, int]

_MOST_PEOPLE = 20_000  # whom a session remembers; asking again costs a call to the page
_ASKED_AT_ONCE = 4  # doubts that are looked up in the page side by side
_LATER, _LATEST = 1.0, 300.0  # seconds between two tries of a doubt: at first, and at last
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
        give_up: float = 86_400.0,
    ) -> None:
        """`files`: a folder for files on their way. Times in seconds; `give_up`: how long a doubt is tried."""
        self._journal, self._outcomes, self._enclosures = journal, outcomes, enclosures
        self._files, self._send_timeout, self._give_up = files, send_timeout, give_up
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
        # Done when the broker may forget the message; the key goes when nobody here has the attempt in hand any more.
        self._under_way: dict[Key, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_page = 0
        self._over = asyncio.Event()
        self._clearing = asyncio.Lock()
        self._looking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._later: dict[Key, tuple[int, float]] = {}  # doubts that were tried: how often, and not before when again

    def begin(self, page: Page) -> None:
        """The page is ready: messages may leave."""
        self._page = page
        self._later.clear()

    def pause(self) -> None:
        """The page is not ready any more: what comes now waits at chat."""
        self._page = None

    @property
    def busy(self) -> bool:
        """Whether a message is on its way through the page."""
        return self._at_page > 0

    async def handle(self, event: SessionSend, _envelope: Envelope) -> None:
        """Send one message, or say why not. Returning means that the broker may forget it."""
        key = (event.message_id, event.attempt)
        written = self._under_way.get(key)
        if written is None:
            written = self._under_way[key] = asyncio.get_running_loop().create_future()
            self._start(self._attempt(event, written))
        # A copy shares the fate of the first one: while that is in memory only, it may still be lost.
        await asyncio.shield(written)
        reach("bridge.before_ack")

    async def _attempt(self, event: SessionSend, written: "asyncio.Future[None]") -> None:
        try:
            async with self._turn(event.to.lid or event.to.phone or ""):
                await self._handle(event, written)
        except Exception as error:
            if written.done():
                self._log.warning("send_in_doubt", message_id=str(event.message_id), error=repr(error))
            else:
                written.set_exception(error)
        finally:
            self._under_way.pop((event.message_id, event.attempt), None)
            if not written.done():
                written.set_result(None)

    async def _handle(self, event: SessionSend, written: "asyncio.Future[None]") -> None:
        page = self._page
        if page is None:
            await self._known_or_returned(event)
            return
        try:
            person = await self._find(page, event.to)
            if person is None:
                raise Refused(NOT_ON_WHATSAPP)
            _refuse_expired(event)
            provider_id = f"true_{person.chat}_{hex_of(event.message_id, event.attempt)}"
            send = outgoing.send_of(event, person.chat, provider_id)
            if not self._is_paced:
                async with self._enclosures.added(event, send, self._files) as call:
                    if await self._new(event, person):
                        await self._hand_over(page, event.message_id, event.attempt, call)
                return
            if not await self._new(event, person):
                return
        except Refused as refused:
            await self._refuse(event, refused.refusal)
            return
        except PageError as error:
            if isinstance(error, PageRefused) and not error.passing:
                await self._refuse(event, by_page(error.reason, error.detail))
                return
            # It met the page in trouble before it was written down: nothing has left.
            self._log.info("send_returned", message_id=str(event.message_id), error=error.code)
            await asyncio.sleep(_PAGE_HICCUP)
            await self._known_or_returned(event)
            return
        # A pause may last ten minutes, and a line of them longer than the broker waits for an ack: from here on the
        # journal is the queue, as it is for doubts.
        written.set_result(None)
        await self._at_pace(event, send)

    async def _new(self, event: SessionSend, person: Somebody) -> bool:
        """Write it down; false where it was there already, which is told or looked up."""
        if not await self._journals.submit((event, person.chat)):
            await self._known(event)
            return False
        reach("bridge.journalled")
        return True

    async def _at_pace(self, event: SessionSend, send: Send) -> None:
        """Send what is journalled and was never handed over, when its time has come. What goes wrong leaves a doubt."""
        async with self._paced(event, send.chat):
            page = self._page
            if page is None or await self._journal.doubt(event.message_id, event.attempt) is None:
                return
            try:
                _refuse_expired(event)
                async with self._enclosures.added(event, send, self._files) as call:
                    await self._hand_over(page, event.message_id, event.attempt, call)
            except Refused as refused:
                await self._settle(event.message_id, event.attempt, refused=refused.refusal)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, page: Page, message_id: UUID, attempt: int, call: Send) -> None:
        """The one place where a message goes to the page. What is not known afterwards stays journalled."""
        self._at_page += 1
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
        finally:
            self._at_page -= 1
        reach("bridge.answered")
        if sent.ack > 0:
            await self._settle(message_id, attempt, ack=sent.ack)

    async def clear_doubts(self) -> None:
        """Begin to look up what is journalled and of unknown outcome: sent, in the page's line, or never heard of.

        Each in a task of its own, so that none holds back another.
        """
        page = self._page
        if page is None or self._clearing.locked():
            return
        async with self._clearing:
            entries = await self._journal.doubtful()
            keys = {(entry.message_id, entry.attempt) for entry in entries}
            self._later = {key: later for key, later in self._later.items() if key in keys}
            for entry in entries:
                key = (entry.message_id, entry.attempt)
                if key in self._under_way or self._later.get(key, (0, 0.0))[1] > time.monotonic():
                    continue
                written = self._under_way[key] = asyncio.get_running_loop().create_future()
                written.set_result(None)  # it is in the journal
                self._start(self._doubt(page, entry))

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _doubt(self, page: Page, entry: Entry) -> None:
        try:
            async with self._turn(_to(entry)):
                await self._clear(page, entry)
        except PageError as error:
            self._log.info("doubt_stays", message_id=str(entry.message_id), error=error.code)
        except Exception as error:
            self._log.warning("doubt_stays", message_id=str(entry.message_id), error=repr(error))
        finally:
            self._under_way.pop((entry.message_id, entry.attempt), None)

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
                await self._settle(entry.message_id, entry.attempt, refused=GIVEN_UP)
            raise

    async def _unknown(self, page: Page, entry: Entry) -> bool:
        """Whether it is in doubt still and the page has never heard of it; what the page knows of it is settled."""
        if self._page is not page or await self._journal.doubt(entry.message_id, entry.attempt) is None:
            return False
        async with self._looking:
            found = await page.call(FindMessage(id=entry.provider_message_id))
        if found is None:
            return True
        if found.ack != 0:  # at 0 the page has it, and sends it by itself once it can
            refused = NOT_TAKEN if found.ack < 0 else None
            await self._settle(entry.message_id, entry.attempt, ack=max(found.ack, 0), refused=refused)
        return False

    async def _send_again(self, page: Page, entry: Entry) -> None:
        event = SessionSend.model_validate(entry.command)
        self._log.info("send_again", message_id=str(entry.message_id), attempt=entry.attempt)
        try:
            _refuse_expired(event)
            send = outgoing.send_of(event, entry.chat, entry.provider_message_id)
            async with self._paced(event, entry.chat) as waited:
                if waited and not await self._unknown(page, entry):
                    return
                async with self._enclosures.added(event, send, self._files) as call:
                    await self._hand_over(page, entry.message_id, entry.attempt, call)
        except Refused as refused:
            if refused.refusal.passing:
                raise
            await self._settle(entry.message_id, entry.attempt, refused=refused.refusal)

    async def _found(self, page: Page, provider_id: str) -> object | None:
        try:
            return await page.call(FindMessage(id=provider_id))
        except PageError:
            return provider_id  # nobody knows: it stays in doubt

    async def _settle(self, message_id: UUID, attempt: int, *, ack: int = 0, refused: Refusal | None = None) -> None:
        await self.settled.submit(Settled(message_id, attempt, ack, refused))

    async def _refuse(self, event: SessionSend, refusal: Refusal) -> None:
        if not await self._outcomes.refused(event, refusal):
            await self._known(event)

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

    @property
    def _is_paced(self) -> bool:
        return bool(self.pacing.longest_pause or self.pacing.typing)

    @asynccontextmanager
    async def _paced(self, event: SessionSend, chat: str) -> AsyncIterator[bool]:
        """At a person's pace, one after another, where the session's options say so; gives whether it waited."""
        if not self._is_paced:
            yield False
            return
        async with self._pace:
            pacing = self.pacing
            shortest = min(pacing.shortest_pause, pacing.longest_pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(shortest, pacing.longest_pause)):  # noqa: S311 - dice
                    await self._over.wait()
            page, seconds = self._page, outgoing.typing_seconds(event) if pacing.typing else 0.0
            if page is not None and seconds and not self._over.is_set():
                with suppress(PageError):
                    await page.call(Typing(chat=chat, seconds=seconds), within=seconds + 10)
            yield True

    async def close(self) -> None:
        """Finish what is at the page, leave in the journal what waits for its time, and flush what waits in batches."""
        self.pause()
        self._over.set()
        await self.quiet()
        for batcher in (self._journals, self.settled):
            await batcher.flush()
            await batcher.close()


def _refuse_expired(event: SessionSend) -> None:
    if event.expires_at is not None and event.expires_at < datetime.now(UTC):
        raise Refused(EXPIRED)


def _age(at: datetime) -> float:
    return (datetime.now(UTC) - at).total_seconds()


def _to(entry: Entry) -> str:
    to = (entry.command or {}).get("to") or {}
    return str(to.get("lid") or to.get("phone") or entry.chat)
