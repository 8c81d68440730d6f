"""Inbound: what customers write is stored once, in its conversation. In micro-batches."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.outbox import Outbox
from blazz_contracts.events import ProviderMessage

from blazz_chat import arrival, corrections, feed, merging, people
from blazz_chat.arrival import Arrival
from blazz_chat.corrections import Corrected
from blazz_chat.storable import storable

_INSERT = """
insert into messages (id, workspace_id, conversation_id, contact_id, channel_id, direction, type, content, text, status,
                      provider_message_id, reply_to, created_at, sent_at)
select r.id, r.workspace_id, r.conversation_id, r.contact_id, r.channel_id, r.direction, r.type, r.content, r.text,
       'received', r.provider_message_id,
       coalesce((select m.id from messages m where m.channel_id = r.channel_id and m.provider_message_id = r.answers
                 and m.origin_kind is null),
                (select a.message_id from attempts a
                 where a.provider_message_id = r.answers and a.channel_id = r.channel_id limit 1)),
       $12, r.sent_at
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[],
            $9::text[], $10::text[], $11::text[], $13::timestamptz[])
     with ordinality r (id, workspace_id, conversation_id, contact_id, channel_id, direction, type, content, text,
                        provider_message_id, answers, sent_at, n)
order by r.n
on conflict (channel_id, provider_message_id) where origin_kind is null do nothing
returning id
"""
# `greatest` ignores nulls: an echo of our own phone moves the conversation but opens no window.
_TOUCH = """
with conversation as (
    update conversations v set last_message_at = now(), unread = v.unread + t.received,
           last_inbound_at = greatest(v.last_inbound_at, t.inbound_at)
    from unnest($1::uuid[], $2::int[], $3::timestamptz[]) t (id, received, inbound_at) where v.id = t.id
)
update contacts set last_message_at = now() where id = any($4::uuid[])
"""
# Whoever writes may be answered: the daily limit counts only those whom the business writes to first.
_LET_GO = """
update messages set waits_for = null where conversation_id = any($1::uuid[]) and status in ('pending', 'sending')
  and status = 'pending' and waits_for = 'tier'
"""
_MEDIA = """
insert into media (id, workspace_id, state, mime_type, filename, message_id, channel_id, provider_media_id,
                   next_attempt_at)
select *, now()
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[])
"""
# What the business wrote on its own phone, and what we sent, look alike to some providers.
_OURS = """
select w.channel_id, w.id from unnest($1::uuid[], $2::text[]) w (channel_id, id)
where exists (select 1 from attempts a where a.provider_message_id = w.id and a.channel_id = w.channel_id)
"""


class Inbound:
    """Stores what customers write."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def store(self, batch: list[ProviderMessage]) -> Sequence[bool]:
        """Store a batch; returns for each whether it brought a file to fetch."""
        receipt, fetch = await self._database.retrying(lambda: self._store(batch))
        reach("inbound.committed")
        self._outbox.send_soon(receipt)
        return [fetch for _ in batch]

    async def _store(self, batch: list[ProviderMessage]) -> tuple[Any, bool]:
        # A correction may bear the id of what it corrects.
        distinct = {(e.channel_id, e.provider_message_id, corrections.of(e)): e for e in batch}
        async with self._database.worker() as connection:
            told = await _not_ours(connection, list(distinct.values()))
            now: datetime = datetime.now(UTC)
            corrected = _Corrections(told)
            rows = [Arrival(event) for event in await corrected.stored_as_messages(connection)]
            merged = await merging.merge(connection, [row.address for row in rows])
            learned = await self._find(connection, rows)
            new = await self._insert(connection, rows, now)
            fresh = [row for row in rows if row.id in new]
            changed = await corrected.apply(connection)
            await self._touch(connection, fresh)
            receipt = await self._outbox.add(
                connection, [*arrival.events(fresh, learned, now), *(each.told() for each in changed)]
            )
            await feed.append(
                connection,
                [
                    *merged,
                    *(change for row in fresh for change in arrival.changes(row, now)),
                    *(each.fed() for each in changed),
                ],
            )
        return receipt, any(row.media_id for row in fresh)

    async def _find(self, connection: Connection, rows: list[Arrival]) -> set[UUID]:
        numbers = {(a.workspace_id, a.lid): a.phone for row in rows if (a := row.address).lid and a.phone}
        for row in rows:
            if row.address.phone is None and row.address.lid is not None:
                # Somebody new may write twice in a batch, and say their number once.
                phone = numbers.get((row.address.workspace_id, row.address.lid))
                row.address = replace(row.address, phone=phone)
        addresses = [row.address for row in rows]
        found = await people.at(connection, addresses)
        for row, person in zip(rows, found, strict=True):
            row.person = person
        learned = await people.learn(
            connection, [(row.person.id, row.address) for row in rows if row.person and _tells(row)]
        )
        for row, person in zip(rows, await people.hold(connection, [row.person for row in rows]), strict=True):
            row.person = person
        conversations = await people.conversations(
            connection, [(r.event.workspace_id, r.event.channel_id, r.person.id) for r in rows if r.person]
        )
        for row in rows:
            if row.person:
                row.conversation_id = conversations[row.event.channel_id, row.person.id].id
        return learned

    async def _insert(self, connection: Connection, rows: list[Arrival], now: datetime) -> set[UUID]:
        inserted = await connection.fetch(
            _INSERT,
            [row.id for row in rows],
            [row.event.workspace_id for row in rows],
            [row.conversation_id for row in rows],
            [row.person.id if row.person else None for row in rows],
            [row.event.channel_id for row in rows],
            ["outbound" if row.event.echo else "inbound" for row in rows],
            [row.event.type for row in rows],
            [row.content for row in rows],
            [row.text for row in rows],
            [row.event.provider_message_id for row in rows],
            [row.answers for row in rows],
            now,
            [row.event.sent_at for row in rows],
        )
        new = {row["id"] for row in inserted}
        files = [row for row in rows if row.id in new and row.media_id]
        if files:
            await connection.execute(
                _MEDIA,
                [row.media_id for row in files],
                [row.event.workspace_id for row in files],
                ["pending" for _ in files],
                [str(row.content.get("mime_type") or "application/octet-stream") for row in files],
                [row.filename for row in files],
                [row.id for row in files],
                [row.event.channel_id for row in files],
                [row.content["id"] for row in files],
            )
        return new

    async def _touch(self, connection: Connection, rows: list[Arrival]) -> None:
        received: dict[UUID, int] = {}
        latest: dict[UUID, datetime | None] = {}
        for row in rows:
            if row.conversation_id is None:
                continue
            counts = 1 if row.written else 0
            at = row.event.sent_at if row.opens_window else None
            received[row.conversation_id] = received.get(row.conversation_id, 0) + counts
            before = latest.get(row.conversation_id)
            latest[row.conversation_id] = at if before is None else max(before, at) if at else before
        if received:
            ids = sorted(received)
            contacts = sorted({row.person.id for row in rows if row.person})
            await connection.execute(_TOUCH, ids, [received[i] for i in ids], [latest[i] for i in ids], contacts)
            await connection.execute(_LET_GO, [i for i in ids if latest[i]])


def _tells(row: Arrival) -> bool:
    """Whether it tells something new of a person: what we wrote ourselves does so by a hidden id alone."""
    return not row.event.echo or row.address.lid is not None


async def _not_ours(connection: Connection, events: list[ProviderMessage]) -> list[ProviderMessage]:
    """Without echoes of what was sent from here."""
    echoes = [event for event in events if event.echo and corrections.target_of(event) is None]
    if not echoes:
        return events
    rows = await connection.fetch(
        _OURS, [e.channel_id for e in echoes], [storable(e.provider_message_id) for e in echoes]
    )
    ours = {(row["channel_id"], row["id"]) for row in rows}
    dropped = {id(e) for e in echoes if (e.channel_id, storable(e.provider_message_id)) in ours}
    return [event for event in events if id(event) not in dropped]


class _Corrections:
    """Those of a batch that correct an earlier message, which may be in the batch itself."""

    def __init__(self, events: list[ProviderMessage]) -> None:
        self._events = events
        self._targets = {target for event in events if (target := corrections.target_of(event))}
        self._known: dict[tuple[UUID, str], Corrected] = {}

    async def stored_as_messages(self, connection: Connection) -> list[ProviderMessage]:
        """All others: messages, and corrections of what nobody knows."""
        plain = [event for event in self._events if corrections.target_of(event) is None]
        if not self._targets:
            return plain
        self._known = await corrections.known(connection, self._targets)
        here = {(event.channel_id, event.provider_message_id) for event in plain}
        return [
            e for e in self._events if (t := corrections.target_of(e)) is None or not (t in self._known or t in here)
        ]

    async def apply(self, connection: Connection) -> list[Corrected]:
        """Correct the earlier messages; returns those that changed."""
        if not self._targets:
            return []
        self._known |= await corrections.known(connection, self._targets - self._known.keys())
        for event in self._events:
            target = corrections.target_of(event)
            earlier = self._known.get(target) if target else None
            if earlier is not None and earlier.workspace_id == event.workspace_id:
                earlier.apply(event)
        changed = {each.id: each for each in self._known.values() if each.change is not None}
        await corrections.save(connection, list(changed.values()))
        return list(changed.values())
