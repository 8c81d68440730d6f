"""What became of sends: written into the journal and told to chat in one transaction, in micro-batches.

By the outbox, so that an outcome that was written down is told whatever happens to this process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox, Receipt
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import ProviderStatus, SessionSend
from blazz_contracts.events.provider_status import StatusItem
from blazz_contracts.message import MAX_ITEMS

from blazz_webjs_bridge.journal import Entry, hex_of
from blazz_webjs_bridge.page.words import Ack
from blazz_webjs_bridge.refusals import NOT_TAKEN, Refusal
from blazz_webjs_bridge.session import Session

_SETTLE = """
update web_sends w set state = r.state, command = null, failure = r.failure, ack = greatest(w.ack, r.ack),
    settled_at = now()
from unnest($1::uuid[], $2::int[], $3::text[], $4::smallint[], $5::jsonb[]) r (message_id, attempt, state, ack, failure)
where w.message_id = r.message_id and w.attempt = r.attempt and w.state = 'journalled'
returning w.message_id, w.attempt, w.hex, w.chat, w.state, w.ack, w.failure
"""
# Written down, though it never went near the page: asked for again after a crash, it is not made, for chat may have
# been told and have made the next attempt.
_REFUSE = """
insert into web_sends (message_id, attempt, session_id, workspace_id, hex, chat, state, failure, settled_at)
select $1, $2, s.id, s.workspace_id, $4, '', 'failed', $5::jsonb, now() from web_sessions s
where s.id = $3 and s.fence = $6
on conflict (message_id, attempt) do nothing
returning message_id
"""
# A tick settles, too: what was delivered did leave. A refusal counts only for what is not known to have left.
_TICK = """
update web_sends w set ack = greatest(w.ack, r.ack), command = null, settled_at = coalesce(w.settled_at, now()),
    state = case when r.ack >= $5 then 'sent' else 'failed' end,
    failure = case when r.ack >= $5 then null else $4::jsonb end
from unnest($2::text[], $3::smallint[]) r (hex, ack)
where w.session_id = $1 and w.hex = r.hex and (r.ack > w.ack or r.ack < $6 and w.ack = $6)
returning w.message_id, w.attempt, w.hex, w.chat, w.state, w.ack, w.failure
"""
_STATUS: dict[int, str] = {Ack.SENT: "sent", Ack.DELIVERED: "delivered", Ack.READ: "read", Ack.PLAYED: "played"}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an attempt: it was sent and has come so far, or it was refused."""

    message_id: UUID
    attempt: int
    ack: int = Ack.CLOCK
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A message of ours came further, or (negative) was given up by WhatsApp."""

    hex: str
    ack: int
    at: datetime


class Outcomes:
    """The outcomes of one session's sends."""

    def __init__(self, session: Session, database: Database, outbox: Outbox, publisher: Publisher) -> None:
        self._session, self._database, self._outbox, self._publisher = session, database, outbox, publisher

    async def settle(self, batch: list[Settled]) -> Sequence[None]:
        """Write down and tell what became of attempts; what is settled already stays as it is."""
        async with self._database.worker() as connection:
            rows = await connection.fetch(
                _SETTLE,
                [each.message_id for each in batch],
                [each.attempt for each in batch],
                ["failed" if each.refusal else "sent" for each in batch],
                [each.ack for each in batch],
                [each.refusal.error if each.refusal else None for each in batch],
            )
            now = datetime.now(UTC)
            receipt = await self._tell(connection, [_item(Entry(**dict(row)), now) for row in rows])
        self._outbox.send_soon(receipt)
        return [None] * len(batch)

    async def tick(self, batch: list[Tick]) -> Sequence[None]:
        """Move messages of ours forward; those of others, and what moves nothing, change nothing."""
        furthest: dict[str, Tick] = {}
        for tick in batch:
            known = furthest.get(tick.hex)
            if known is None or tick.ack > known.ack:
                furthest[tick.hex] = tick
        ordered = [furthest[each] for each in sorted(furthest)]
        async with self._database.worker() as connection:
            rows = await connection.fetch(
                _TICK,
                self._session.id,
                [tick.hex for tick in ordered],
                [tick.ack for tick in ordered],
                NOT_TAKEN.error,
                Ack.SENT,
                Ack.CLOCK,
            )
            receipt = await self._tell(connection, [_item(Entry(**dict(row)), furthest[row["hex"]].at) for row in rows])
        self._outbox.send_soon(receipt)
        return [None] * len(batch)

    async def again(self, entry: Entry) -> None:
        """Tell once more what became of an attempt that was settled before."""
        await self._publisher.publish(self._event([_item(entry, datetime.now(UTC))]))

    async def returned(self, event: SessionSend) -> None:
        """Tell that nothing of it has left, so that it waits at chat."""
        await self._publisher.publish(self._event([_unjournalled(event, "returned", None)]))

    async def refused(self, event: SessionSend, refusal: Refusal) -> bool:
        """Write down and tell that it cannot be sent; returns whether it was not in the journal before.

        Not so means that it is there already, or that this instance has lost the session.
        """
        async with self._database.worker() as connection:
            new = await connection.fetchrow(
                _REFUSE,
                event.message_id,
                event.attempt,
                self._session.id,
                hex_of(event.message_id, event.attempt),
                refusal.error,
                self._session.fence,
            )
            if new is None:
                return False
            receipt = await self._tell(connection, [_unjournalled(event, "failed", refusal)])
        reach("bridge.refused")
        self._outbox.send_soon(receipt)
        return True

    async def _tell(self, connection: Any, items: list[StatusItem]) -> Receipt:
        parts = [items[n : n + MAX_ITEMS] for n in range(0, len(items), MAX_ITEMS)]
        return await self._outbox.add(connection, [self._event(part) for part in parts])

    def _event(self, items: list[StatusItem]) -> ProviderStatus:
        return ProviderStatus(workspace_id=self._session.workspace_id, channel_id=self._session.id, items=items)


def _item(entry: Entry, at: datetime) -> StatusItem:
    failed = entry.state == "failed"
    return StatusItem(
        # Of one that was refused before anybody knew its chat there is no key.
        provider_message_id=entry.provider_message_id if entry.chat else entry.callback_data,
        status="failed" if failed else _STATUS.get(entry.ack, "sent"),
        at=at,
        callback_data=entry.callback_data,
        recipient_phone=_digits(entry.chat, "@c.us"),
        recipient_lid=_digits(entry.chat, "@lid"),
        errors=[entry.failure] if failed and entry.failure else [],
    )


def _digits(chat: str, domain: str) -> str | None:
    """The person's id, where the chat is one of this kind: who answers under it alone is recognised by it."""
    return chat.removesuffix(domain) if chat.endswith(domain) else None


def _unjournalled(event: SessionSend, status: str, refusal: Refusal | None) -> StatusItem:
    return StatusItem(
        provider_message_id=f"{event.message_id}:{event.attempt}",
        status=status,
        at=datetime.now(UTC),
        callback_data=f"{event.message_id}:{event.attempt}",
        errors=[refusal.error] if refusal else [],
    )
