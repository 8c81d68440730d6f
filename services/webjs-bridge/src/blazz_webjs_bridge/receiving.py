"""Receiving through one session: what the page brings is told to chat once, in the order of each conversation.

Nothing is acked to WhatsApp by us, so what a crash lost is read again from the history (`catching_up`): up to when
everything has been told is kept beside the lease. Messages alone move that mark, and by no clock but WhatsApp's and
ours: what somebody's phone says of the time of an edit is not believed. What has not been told holds it.
"""

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import structlog
from blazz_chassis.crashpoints import reach
from blazz_chassis.errors import BlazzError, Unavailable
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import ProviderMessage
from blazz_contracts.views.session import SessionOptions

from blazz_webjs_bridge import incoming
from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.page.calls import Page, RejectCall
from blazz_webjs_bridge.page.errors import PageError, PageGone, PageRefused, PageTimeout
from blazz_webjs_bridge.page.facts import Arrived, Called, Edited, Reacted, Revoked
from blazz_webjs_bridge.page.words import WebMessage
from blazz_webjs_bridge.received_files import ReceivedFiles
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

A = TypeVar("A")
Told = Arrived | Edited | Revoked | Reacted | Called

_AT_ONCE = 64  # facts on their way to chat at once; the rest wait their turn
_AGAIN = 0.5  # seconds before telling again while the broker, or the database, is away
_MOST_KNOWN = 20_000  # ids told lately: what the history brings again costs nothing
_MOST_WAITING = 2_000  # facts that wait here; those that the history brings again wait there beyond that
_MOST_WAITING_HERE = 10_000  # of those that it does not bring: reactions and calls
_FILE_PATIENCE = 3600.0  # seconds that a message waits for its file while the page, or chat, is away
_FILE_TRIES = 3  # times that a living page may be too late with a file, or end over it
_FILE_PAUSE = 15.0  # seconds between two tries at most


class _Untold(Exception):
    """It stays open: whoever runs the session next tells it."""


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
        self._turned = asyncio.Event()  # the page has come, or nobody waits for it any more
        self._ending: str | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[int, float] = {}
        self._number = 0
        self._latest = 0.0
        self._known: OrderedDict[str, None] = OrderedDict()

    def begin(self, page: Page) -> None:
        """The page that facts come from: files are fetched by it."""
        self._page = page
        self._turn_round()

    def leave_page(self) -> None:
        """The page has ended: files wait for the next one."""
        self._page = None

    def take(self, told: Told) -> bool:
        """Tell chat of it, in the background. Returns at once; order within a conversation is kept.

        False when too many wait already (the broker is away): the history must be read again for it.
        """
        most = _MOST_WAITING_HERE if isinstance(told, Reacted | Called) else _MOST_WAITING
        if len(self._tasks) >= most:
            if most == _MOST_WAITING_HERE:
                self._log.error("fact_not_told", kind=told.kind, cause="too many wait")
            return most == _MOST_WAITING_HERE
        self._number += 1
        number = self._number
        self._open[number] = min(told.message.at if isinstance(told, Arrived) else told.at, time.time())
        turn = self._turn(_conversation(told))
        task = asyncio.create_task(self._in_turn(turn, told, number), context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def take_patiently(self, told: Told) -> None:
        """Tell chat of what the history brought, once there is room."""
        while len(self._tasks) >= _MOST_WAITING // 2:
            await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED)
        self.take(told)

    @property
    def seen_until(self) -> datetime | None:
        """Before this moment of WhatsApp's clock everything that came has been told."""
        seconds = min(self._open.values(), default=self._latest)
        return incoming.at(int(min(seconds, self._latest))) if self._latest else None

    @property
    def busy(self) -> bool:
        """Whether something is on its way to chat."""
        return bool(self._tasks)

    async def drained(self, *, within: float) -> None:
        """Wait until all that came has been told, for so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))

    async def close(self, *, within: float, over: bool) -> None:
        """Let what is under way be told; what is not by then stays open, and holds the mark.

        `over`: the session has ended, so that no page will bring a file any more: messages are told without.
        """
        self._ending = "over" if over else "left"
        self._turn_round()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _turn(self, conversation: str) -> asyncio.Lock:
        turn = self._turns.get(conversation)
        if turn is None:
            turn = self._turns[conversation] = asyncio.Lock()
        return turn

    def _turn_round(self) -> None:
        self._turned.set()
        self._turned = asyncio.Event()

    async def _in_turn(self, turn: asyncio.Lock, told: Told, number: int) -> None:
        try:
            async with turn:
                await self._tell(told)
        except _Untold:
            self._log.info("fact_stays_open", kind=told.kind)
            return
        except Exception:
            # One bad message stops nothing.
            self._log.exception("fact_not_told", kind=told.kind)
        seconds = self._open.pop(number)
        if isinstance(told, Arrived):
            self._latest = max(self._latest, seconds)

    async def _tell(self, told: Told) -> None:
        if _group(told) is not None and not self.options.groups:
            return
        name = _name(told)
        if name in self._known:
            return
        if isinstance(told, Arrived) and told.message.from_me and await self._ours(told.message):
            return  # sent by us: chat has it, and hears of it by its statuses
        event = await self._event(told)
        await self._until_there(lambda: self._publisher.publish(event))
        reach("bridge.told")
        self._known[name] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    async def _ours(self, message: WebMessage) -> bool:
        return bool(await self._until_there(lambda: self._journal.ours([hex_in(message.id)])))

    async def _until_there(self, do: Callable[[], Awaitable[A]]) -> A:
        """Do it, again and again while the broker or the database is away."""
        while True:
            try:
                async with self._places:
                    return await do()
            except Unavailable:
                await asyncio.sleep(_AGAIN)

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
        media = None if message.file is None else await self._media(message)
        return incoming.message(self._session, message, media=media)

    async def _media(self, message: WebMessage) -> dict[str, Any]:
        """Bring its file into chat's library. Raises `_Untold` when the session is let go before it could be had."""
        began, tries = time.monotonic(), 0
        while True:
            turned, page = self._turned, self._page
            try:
                if page is None:
                    raise PageGone
                async with self._places:
                    return {"media_id": str(await self._library.keep(self._session, page, message))}
            except BlazzError as error:
                tries += page is not None and not _of_chat(error)
                waited = time.monotonic() - began
                if not _passing(error) or tries >= _FILE_TRIES or waited > _FILE_PATIENCE or self._ending == "over":
                    self._log.warning("file_not_kept", provider_message_id=message.id, error=error.code)
                    return {"media_error": error.code}
                if self._ending == "left" and self._page is None:
                    raise _Untold from error
                self._log.info("file_waits", provider_message_id=message.id, error=error.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(1.0 + waited, _FILE_PAUSE)):
                    await turned.wait()

    async def _rejected(self, told: Called) -> bool:
        if not self.options.reject_calls or self._page is None:
            return False
        try:
            await self._page.call(RejectCall(id=told.id))
        except PageError as error:
            self._log.info("call_not_rejected", error=error.code)
            return False
        return True


def _of_chat(error: BlazzError) -> bool:
    return not isinstance(error, PageError)


def _passing(error: BlazzError) -> bool:
    """Whether the file may be had later: the page, its connection or chat is away."""
    if isinstance(error, PageRefused):
        return error.passing
    return isinstance(error, PageGone | PageTimeout | Unavailable)


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
