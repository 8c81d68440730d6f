"""Sending through one session: what chat asks is journalled, handed to the page once, and told.

An attempt of unknown outcome (the page crashed, the process was killed) stays in the journal, as a doubt.
"""

import asyncio
from pathlib import Path
from uuid import UUID

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.crashpoints import reach
from blazz_chassis.errors import DependencyDown
from blazz_contracts import Envelope
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from blazz_contracts.views.session import Pacing

from blazz_webjs_bridge import outgoing
from blazz_webjs_bridge.doubts import Doubts
from blazz_webjs_bridge.enclosures import Enclosures
from blazz_webjs_bridge.handing_over import HandingOver
from blazz_webjs_bridge.in_hand import InHand
from blazz_webjs_bridge.journal import Journal, hex_of
from blazz_webjs_bridge.outcomes import Outcomes
from blazz_webjs_bridge.pacing import Pace
from blazz_webjs_bridge.page.calls import FindPerson, Page, Send
from blazz_webjs_bridge.page.errors import PageError, PageRefused
from blazz_webjs_bridge.page.words import Somebody
from blazz_webjs_bridge.refusals import NOT_ON_WHATSAPP, Refusal, Refused, by_page

log = structlog.get_logger(__name__)

_MOST_PEOPLE = 20_000  # whom a session remembers; asking again costs a call to the page
_PAGE_HICCUP = 1.0  # seconds before a message is given back that met a page in trouble


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
        self._journal, self._outcomes, self._enclosures, self._files = journal, outcomes, enclosures, files
        self._log = log.bind(session_id=str(session_id))
        self._journals: Batcher[tuple[SessionSend, str], bool] = Batcher(
            journal.write, name="journal", max_items=100, max_wait=0.0
        )
        self._page: Page | None = None
        self._phone: str | None = None
        self._decided = asyncio.Event()  # whether messages may leave; unset while that is being written down
        self._decided.set()
        self._people: dict[Person, Somebody | None] = {}
        self.in_hand = InHand()
        self.pace = Pace(pacing, lambda: self._page)
        self.handing = HandingOver(outcomes, enclosures, files=files, timeout=send_timeout, batch_wait=batch_wait)
        self.doubts = Doubts(
            session_id,
            journal,
            self.handing,
            self.in_hand,
            self.pace,
            lambda: self._page,
            lambda: self._phone,
            give_up=give_up,
        )

    def expect(self) -> None:
        """The page is about to be ready: who hears of it sooner than we do may send already, and waits a moment."""
        self._decided.clear()

    def begin(self, page: Page, phone: str | None = None) -> None:
        """The page is ready: messages may leave, but for those that were accepted for another number (digits)."""
        self._page, self._phone = page, phone
        self.doubts.begin()
        self._decided.set()

    def pause(self) -> None:
        """The page is not ready any more: what comes now waits at chat."""
        self._page = None
        self._decided.set()

    @property
    def busy(self) -> bool:
        """Whether a message is on its way through the page."""
        return self.handing.busy

    async def handle(self, event: SessionSend, _envelope: Envelope) -> None:
        """Send one message, or say why not. Returning means that the broker may forget it."""
        key = (event.message_id, event.attempt)
        written = self.in_hand.get(key)
        if written is None:
            written = self.in_hand.take(key)
            self.in_hand.start(self._attempt(event, written))
        # A copy shares the fate of the first one: while that is in memory only, it may still be lost.
        await asyncio.shield(written)
        reach("bridge.before_ack")

    async def _attempt(self, event: SessionSend, written: "asyncio.Future[None]") -> None:
        try:
            await self._decided.wait()
            async with self.in_hand.turn(event.to.lid or event.to.phone or ""):
                await self._handle(event, written)
        except Exception as error:
            if written.done():
                self._log.warning("send_in_doubt", message_id=str(event.message_id), error=repr(error))
            else:
                written.set_exception(error)
        finally:
            self.in_hand.put_down((event.message_id, event.attempt))
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
            outgoing.refuse_late(event, self._phone)
            provider_id = f"true_{person.chat}_{hex_of(event.message_id, event.attempt)}"
            send = outgoing.send_of(event, person.chat, provider_id)
            if not self.pace.is_set:
                async with self._enclosures.added(event, send, self._files) as call:
                    if await self._new(event, person):
                        await self.handing.hand_over(page, event.message_id, event.attempt, call)
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
        async with self.pace.kept(event, send.chat):
            page = self._page
            if page is None or await self._journal.doubt(event.message_id, event.attempt) is None:
                return
            try:
                outgoing.refuse_late(event, self._phone)
                await self.handing.with_file(page, event, send)
            except Refused as refused:
                await self.handing.settle(event.message_id, event.attempt, refused=refused.refusal)

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

    async def close(self) -> None:
        """Finish what is at the page, leave in the journal what waits for its time, and flush what waits in batches."""
        self.pause()
        self.pace.end()
        await self.in_hand.quiet()
        await self._journals.flush()
        await self._journals.close()
        await self.handing.close()
