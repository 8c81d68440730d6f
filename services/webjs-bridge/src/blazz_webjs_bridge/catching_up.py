"""After a session was away: what came meanwhile is read from the page's history, and ticks are asked for."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from blazz_webjs_bridge.journal import Journal, hex_in
from blazz_webjs_bridge.outcomes import Outcomes, Tick
from blazz_webjs_bridge.page.calls import FindMessage, History, Page
from blazz_webjs_bridge.page.errors import PageError, PageGarbled, PageGone, PageRefused, PageTimeout
from blazz_webjs_bridge.page.facts import Arrived, Edited, Reacted, Revoked
from blazz_webjs_bridge.page.words import WebMessage
from blazz_webjs_bridge.receiving import Receiving, Told
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

_PAGE = 500  # messages read at once
_MOST = 20_000  # messages of one absence; more would be an import, not a catching up
_CORRECTED = 2 * 86_400  # seconds before what was missed in which messages may have been edited or taken back
_TRIES = 3  # readings in which one message cannot be read until it is passed over
_ASKED_AT_ONCE = 16
_MOST_ASKED = 20_000  # messages sent in the last two days and not read yet
_TICKS_AT_ONCE = 500


Unread = tuple[str, int]
"""A message that was sent and not read yet: its full key and the ack it is known to have."""


class CatchingUp:
    """Reads what one session missed."""

    def __init__(self, session: Session, journal: Journal, outcomes: Outcomes, receiving: Receiving, *, margin: float):
        """`margin`: seconds before the last message seen that are read again."""
        self._session, self._journal, self._outcomes, self._receiving = session, journal, outcomes, receiving
        self._margin = margin
        self._unreadable: Counter[int] = Counter()

    async def messages(self, page: Page, seen_until: datetime) -> None:
        """Bring in what came since. When this raises, it is to be asked again: nothing is known to be whole."""
        since = int(seen_until.timestamp() - self._margin)
        corrected_since = max(since - _CORRECTED, min(since, int(self._session.created_at.timestamp())))
        offset, limit = 0, _PAGE
        while offset < _MOST:
            groups = self._receiving.options.groups
            asked = History(since=since, corrected_since=corrected_since, groups=groups, limit=limit, offset=offset)
            try:
                found = await page.call(asked)
            except PageError as error:
                if not _of_the_answer(error):
                    raise
                # Too large, or one of them cannot be read: fewer at once, until the one to blame stands alone.
                log.warning("history_not_read", session_id=str(self._session.id), error=error.code, messages=limit)
                if limit > 1:
                    limit = max(1, limit // 4)
                    continue
                self._unreadable[offset] += 1
                if self._unreadable[offset] < _TRIES:
                    raise
                offset, limit = offset + 1, _PAGE
                continue
            for message in found:
                for told in _facts(message, since):
                    await self._receiving.take_patiently(told)
            offset += len(found)
            if len(found) < limit:
                break
        if offset >= _MOST:
            log.error("history_too_long", session_id=str(self._session.id), since=since, messages=offset)
        log.info("caught_up", session_id=str(self._session.id), since=since, messages=offset)

    async def ticks(self, page: Page, asked_for: Sequence[Unread] | None = None) -> list[Unread]:
        """Messages that were delivered or read while nobody listened: all that may have been, or those `asked_for`.

        Returns those that the page did not know. It may not have loaded them yet; or somebody has removed them on the
        phone, and it never will.
        One that the page refuses to look up stops nothing; raises `PageTimeout` when some must be asked again.
        """
        recent = await self._journal.recent(_MOST_ASKED) if asked_for is None else asked_for
        late, unknown = 0, list[Unread]()
        for start in range(0, len(recent), _TICKS_AT_ONCE):
            places = asyncio.Semaphore(_ASKED_AT_ONCE)
            part = recent[start : start + _TICKS_AT_ONCE]
            asked = [self._ask(page, places, provider_id) for provider_id, _ in part]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            told = list(zip(answers, part, strict=True))
            unknown += [message for each, message in told if each is None]
            ticks = [each for each, (_, ack) in told if isinstance(each, Tick) and each.ack > ack]
            if ticks:
                await self._outcomes.tick(ticks)
            for each in answers:
                if isinstance(each, PageGone) or (isinstance(each, BaseException) and not isinstance(each, PageError)):
                    raise each
                late += isinstance(each, PageTimeout)
        if late:
            raise PageTimeout(f"{late} messages could not be looked up in time")
        return unknown

    @staticmethod
    async def _ask(page: Page, places: asyncio.Semaphore, provider_id: str) -> Tick | None:
        async with places:
            found = await page.call(FindMessage(id=provider_id))
        return None if found is None else Tick(hex_in(provider_id), found.ack, datetime.now(UTC))


def _of_the_answer(error: PageError) -> bool:
    """Whether fewer messages in one answer may help."""
    return isinstance(error, PageGarbled) or (isinstance(error, PageRefused) and error.reason == "answer_too_large")


def _facts(message: WebMessage, since: int) -> list[Told]:
    """What the history says of a message: that it came, how it reads since it was edited and what others put on it;
    or that it is gone.
    """
    if message.raw_type == "revoked":
        now = int(datetime.now(UTC).timestamp())  # when it was taken back, the page does not keep
        gone = Revoked(id=message.id, person=message.person, from_me=message.from_me, group=message.group, at=now)
        return [gone]
    facts: list[Told] = [Arrived(message=message)] if message.at >= since else []
    if message.edited_at is not None:
        facts.append(Edited(id=message.id, message=message, at=message.edited_at))
    facts += [
        Reacted(
            id=each.id,
            target=message.id,
            emoji=each.emoji,
            person=each.person,
            from_me=False,
            group=message.group,
            at=each.at,
        )
        for each in message.reactions
    ]
    return facts
