"""Receiving through one session: what the page brings is told to chat once, in the order of each conversation.

Nothing is acked to WhatsApp by us, so what a crash lost is read again from the history (`catching_up`): up to when
everything has been told is kept beside the lease.
"""

import asyncio
import contextvars
from collections import OrderedDict
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import structlog
from blazz_chassis.crashpoints import reach
from blazz_chassis.errors import BlazzError, Unavailable
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import ProviderMessage
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge import incoming
from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.page.calls import RejectCall
from blazz_webjs_bridge.page.errors import PageError
from blazz_webjs_bridge.page.facts import Arrived, Called, Edited, Reacted, Revoked
from blazz_webjs_bridge.page.words import WebMessage
from blazz_webjs_bridge.received_files import ReceivedFiles
from blazz_webjs_bridge.sending import Page
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

Told = Arrived | Edited | Revoked | Reacted | Called

_AT_ONCE = 64  # facts on their way to chat at once; the rest wait their turn
_AGAIN = 0.5  # seconds before telling again while the broker is away
_MOST_KNOWN = 20_000  # ids told lately: what the history brings again costs nothing


class Receiving:
    """What one session brings in, as long as this instance owns it."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        publisher: Publisher,
        library: ReceivedFiles,
        *,
        options: SessionOptions,
    ) -> None:
        self._session, self._journal, self._publisher, self._library = session, journal, publisher, library
        self.options = options
        self._log = log.bind(session_id=str(session.id))
        self._page: Page | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[int, int] = {}
        self._number = 0
        self._latest = 0
        self._known: OrderedDict[str, None] = OrderedDict()

    def begin(self, page: Page) -> None:
        """The page that facts come from: files are fetched by it."""
        self._page = page

    def take(self, told: Told) -> None:
        """Tell chat of it, in the background. Returns at once; order within a conversation is kept."""
        self._number += 1
        number, seconds = self._number, told.message.at if isinstance(told, Arrived) else told.at
        self._open[number] = seconds
        turn = self._turn(_conversation(told))
        task = asyncio.create_task(self._in_turn(turn, told, number), context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def seen_until(self) -> datetime | None:
        """Before this moment of WhatsApp's clock everything that came has been told."""
        seconds = min(self._open.values(), default=self._latest)
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    @property
    def busy(self) -> bool:
        """Whether something is on its way to chat."""
        return bool(self._tasks)

    async def drained(self) -> None:
        """Wait until all that came has been told."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _turn(self, conversation: str) -> asyncio.Lock:
        turn = self._turns.get(conversation)
        if turn is None:
            turn = self._turns[conversation] = asyncio.Lock()
        return turn

    async def _in_turn(self, turn: asyncio.Lock, told: Told, number: int) -> None:
        try:
            async with turn, self._places:
                await self._tell(told)
        except Exception:
            # One bad message stops nothing; the history brings it again when the session is opened anew.
            self._log.exception("fact_not_told", kind=told.kind)
        finally:
            self._latest = max(self._latest, self._open.pop(number))

    async def _tell(self, told: Told) -> None:
        if _group(told) is not None and not self.options.groups:
            return
        name = _name(told)
        if name in self._known:
            return
        if isinstance(told, Arrived) and told.message.from_me and await self._journal.ours([hex_in(told.message.id)]):
            return  # sent by us: chat has it, and hears of it by its statuses
        event = await self._event(told)
        await self._publish(event)
        self._known[name] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    async def _publish(self, event: ProviderMessage) -> None:
        while True:
            try:
                await self._publisher.publish(event)
            except Unavailable:
                await asyncio.sleep(_AGAIN)
            else:
                reach("bridge.told")
                return

    async def _event(self, told: Told) -> ProviderMessage:
        match told:
            case Arrived(message=message):
                return await self._message(message)
            case Edited():
                return incoming.edited(self._session, told)
            case Revoked():
                return incoming.revoked(self._session, told)
            case Reacted():
                return incoming.reacted(self._session, told)
            case Called():
                return incoming.called(self._session, told, rejected=await self._rejected(told))

    async def _message(self, message: WebMessage) -> ProviderMessage:
        if message.file is None or self._page is None:
            return incoming.message(self._session, message)
        try:
            media = {"media_id": str(await self._library.keep(self._session, self._page, message))}
        except BlazzError as error:
            self._log.warning("file_not_kept", provider_message_id=message.id, error=error.code)
            media = {"media_error": error.code}
        return incoming.message(self._session, message, media=media)

    async def _rejected(self, told: Called) -> bool:
        if not self.options.reject_calls or self._page is None:
            return False
        try:
            await self._page.call(RejectCall(id=told.id))
        except PageError as error:
            self._log.info("call_not_rejected", error=error.code)
            return False
        return True


def _name(told: Told) -> str:
    match told:
        case Arrived(message=message):
            return message.id
        case Edited(id=id_, at=at):
            return f"{id_}:edit:{at}"
        case Revoked(id=id_):
            return f"{id_}:revoke"
    return told.id


def _group(told: Told) -> str | None:
    if isinstance(told, Arrived | Edited):
        return told.message.group
    return ("group" if told.group else None) if isinstance(told, Called) else told.group


def _conversation(told: Told) -> str:
    person = told.message.person if isinstance(told, Arrived | Edited) else told.person
    return _group(told) or person.chat
