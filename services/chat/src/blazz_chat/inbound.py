"""Inbound: what customers write is stored once, in its conversation. In micro-batches."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.ids import uuid7
from blazz_chassis.outbox import Outbox
from blazz_contracts import Event
from blazz_contracts.events import ContactUpdated, MessageReceived, ProviderMessage

from blazz_chat import feed, people
from blazz_chat.people import Address, Person
from blazz_chat.shown import shown
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
# WhatsApp's own notices (a new number, a new security code) open no window and wait for no answer.
_NOT_WRITTEN = frozenset({"system"})
_MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker", "voice"})


class _Row:
    """One message on its way in."""

    def __init__(self, event: ProviderMessage) -> None:
        self.id = uuid7()
        self.event = event
        self.content: dict[str, Any] = storable(event.content)
        self.name: str | None = storable(event.profile_name)
        self.text = shown(event.type, self.content)
        self.person: Person | None = None
        self.conversation_id: UUID | None = None
        self.media_id: UUID | None = None
        if event.context:
            self.content["context"] = storable(event.context)
        if event.extra:
            self.content["extra"] = storable(event.extra)
        if event.type in _MEDIA_TYPES and isinstance(self.content.get("id"), str):
            self.media_id = uuid7()
            self.content["media_id"] = str(self.media_id)

    @property
    def answers(self) -> str | None:
        """WhatsApp's id of the message that this one answers or reacts to."""
        target = (self.event.context or {}).get("id") or self.content.get("message_id")
        return storable(target) if isinstance(target, str) else None


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
        distinct = {(event.channel_id, event.provider_message_id): event for event in batch}
        rows = [_Row(event) for event in distinct.values()]
        async with self._database.worker() as connection:
            learned = await self._find(connection, rows)
            now: datetime = datetime.now(UTC)
            new = await self._insert(connection, rows, now)
            fresh = [row for row in rows if row.id in new]
            await self._touch(connection, fresh)
            receipt = await self._outbox.add(connection, _events(fresh, learned, now))
            await feed.append(connection, [change for row in fresh for change in _changes(row, now)])
        return receipt, any(row.media_id for row in fresh)

    async def _find(self, connection: Connection, rows: list[_Row]) -> set[UUID]:
        addresses = [Address(row.event.workspace_id, row.event.phone, row.event.user_id, row.name) for row in rows]
        found = await people.at(connection, addresses)
        for row, person in zip(rows, found, strict=True):
            row.person = person
        learned = await people.learn(
            connection,
            [(row.person.id, a) for row, a in zip(rows, addresses, strict=True) if row.person and not row.event.echo],
        )
        conversations = await people.conversations(
            connection, [(r.event.workspace_id, r.event.channel_id, r.person.id) for r in rows if r.person]
        )
        for row in rows:
            if row.person:
                row.conversation_id = conversations[row.event.channel_id, row.person.id].id
        return learned

    async def _insert(self, connection: Connection, rows: list[_Row], now: datetime) -> set[UUID]:
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
                [_filename(row) for row in files],
                [row.id for row in files],
                [row.event.channel_id for row in files],
                [row.content["id"] for row in files],
            )
        return new

    async def _touch(self, connection: Connection, rows: list[_Row]) -> None:
        received: dict[UUID, int] = {}
        latest: dict[UUID, datetime | None] = {}
        for row in rows:
            if row.conversation_id is None:
                continue
            written = not row.event.echo and row.event.type not in _NOT_WRITTEN
            counts = 1 if written else 0
            at = row.event.sent_at if written else None
            received[row.conversation_id] = received.get(row.conversation_id, 0) + counts
            before = latest.get(row.conversation_id)
            latest[row.conversation_id] = at if before is None else max(before, at) if at else before
        if received:
            ids = sorted(received)
            contacts = sorted({row.person.id for row in rows if row.person})
            await connection.execute(_TOUCH, ids, [received[i] for i in ids], [latest[i] for i in ids], contacts)
            await connection.execute(_LET_GO, [i for i in ids if latest[i]])


def _filename(row: _Row) -> str | None:
    name = row.content.get("filename")
    return name if isinstance(name, str) else None


def _changes(row: _Row, now: datetime) -> list[feed.Change]:
    event = row.event
    message = feed.Change(
        event.workspace_id,
        "message",
        row.id,
        {
            "id": str(row.id),
            "conversation_id": str(row.conversation_id) if row.conversation_id else None,
            "contact_id": str(row.person.id) if row.person else None,
            "channel_id": str(event.channel_id),
            "direction": "outbound" if event.echo else "inbound",
            "type": event.type,
            "content": row.content,
            "text": row.text,
            "status": "received",
            "failure": None,
            "provider_message_id": event.provider_message_id,
            "created_at": now.isoformat(),
        },
    )
    if row.person is None or not row.person.created:
        return [message]
    contact = {"phone": event.phone, "user_id": event.user_id, "name": row.name}
    return [feed.Change(event.workspace_id, "contact", row.person.id, contact), message]


def _events(rows: list[_Row], learned: set[UUID], now: datetime) -> list[Event]:
    told: list[Event] = []
    announced: set[UUID] = set()
    for row in rows:
        event, person = row.event, row.person
        if person is None or row.conversation_id is None:
            continue
        if (person.created or person.id in learned) and person.id not in announced:
            announced.add(person.id)
            told.append(
                ContactUpdated(
                    workspace_id=event.workspace_id,
                    contact_id=person.id,
                    created=person.created,
                    display_name=person.name or row.name,
                    phone=f"+{person.phone or event.phone}" if person.phone or event.phone else None,
                    user_id=person.user_id or event.user_id,
                    marketing_opt_out=person.marketing_opt_out,
                )
            )
        told.append(
            MessageReceived(
                workspace_id=event.workspace_id,
                message_id=row.id,
                conversation_id=row.conversation_id,
                contact_id=person.id,
                channel_id=event.channel_id,
                provider_message_id=event.provider_message_id,
                direction="outbound" if event.echo else "inbound",
                type=event.type,
                content=row.content,
                text=row.text,
                contact_name=person.name or row.name,
                sent_at=event.sent_at,
                created_at=now,
            )
        )
    return told
