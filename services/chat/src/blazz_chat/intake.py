"""Intake: requests become rows. A batch is one transaction; the broker is acked after its commit.

A message's id is chosen by who requests it and is the primary key: a request that comes twice is stored once.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.outbox import Outbox
from blazz_contracts.content import Template
from blazz_contracts.events import MessageRequested
from blazz_contracts.message import Failure, Lane, OriginKind

from blazz_chat import asked, failures, feed, people, templates, web, window
from blazz_chat.asked import Asked
from blazz_chat.channels import Channel, Channels
from blazz_chat.people import Address, Person
from blazz_chat.shown import MAX_SHOWN, shown
from blazz_chat.storable import storable
from blazz_chat.templates import Templates

LANES: dict[Lane, int] = {Lane.URGENT: 0, Lane.HIGH: 1, Lane.NORMAL: 2, Lane.CAMPAIGN: 3}

_LAST_CHANNEL = """
select distinct on (v.contact_id) v.contact_id, v.channel_id from conversations v
join channels c on c.id = v.channel_id and c.deleted_at is null
where v.contact_id = any($1::uuid[]) order by v.contact_id, v.last_message_at desc nulls last
"""
# The number that was linked when it was asked for, by the row as it is now: a channel that is known from a moment ago
# may have had another. None, which stands for the first one: what was asked for before the former one was linked.
_INSERT = """
insert into messages (id, workspace_id, conversation_id, contact_id, channel_id, direction, type, content, text, status,
                      waits_for, lane, next_attempt_at, reply_to, retry_of, origin_kind, origin_id, failure, created_at,
                      for_number)
select r.id, r.workspace_id, r.conversation_id, r.contact_id, r.channel_id, 'outbound', r.type, r.content, r.text,
       case when r.failure is null then 'pending' else 'failed' end, null, r.lane, now(), r.reply_to, r.retry_of,
       r.origin_kind, r.origin_id, r.failure, r.created_at,
       case when r.created_at >= c.renumbered_at or c.renumbered_at is null then c.display_phone_number
            when r.created_at >= c.former_since or c.former_since is null then c.former_number end
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::jsonb[], $8::text[],
            $9::smallint[], $10::uuid[], $11::uuid[], $12::text[], $13::uuid[], $14::jsonb[], $15::timestamptz[])
     with ordinality r (id, workspace_id, conversation_id, contact_id, channel_id, type, content, text, lane,
                        reply_to, retry_of, origin_kind, origin_id, failure, created_at, n)
     left join channels c on c.id = r.channel_id and c.provider = 'webjs'
order by r.n
on conflict (id) do nothing
returning id
"""
# A conversation that this transaction opened has the time already. Campaigns do not make a contact a recent one.
_TOUCH = """
with conversation as (
    update conversations set last_message_at = now()
    where id = any($1::uuid[]) and last_message_at is distinct from now()
)
update contacts set last_message_at = now() where id = any($2::uuid[])
"""
# Earlier messages of these conversations must go first: they go at the new one's pace, so that a person's answer does
# not wait for a campaign's turn.
_HURRY = """
update messages set lane = $2
where conversation_id = any($1::uuid[]) and status in ('pending', 'sending') and status = 'pending' and lane > $2
"""


class Intake:
    """Stores requests."""

    def __init__(self, database: Database, outbox: Outbox, channels: Channels, known: Templates) -> None:
        self._database = database
        self._outbox = outbox
        self._channels = channels
        self._templates = known

    async def store(self, requests: list[MessageRequested]) -> Sequence[UUID | None]:
        """Store a batch; returns for each the channel that now has something to send, if any."""
        # A redelivery may stand beside its original in one batch.
        distinct = list({request.message_id: request for request in requests}.values())
        rows, receipt = await self._database.retrying(lambda: self._store(distinct))
        reach("intake.committed")
        self._outbox.send_soon(receipt)
        ready = {row.request.message_id: row.channel.id for row in rows if row.channel and row.failure is None}
        return [ready.get(request.message_id) for request in requests]

    async def _store(self, requests: list[MessageRequested]) -> tuple[list[Asked], Any]:
        rows = [self._row(request) for request in requests]
        async with self._database.worker() as connection:
            await self._find_people(connection, rows)
            await self._find_channels(connection, rows)
            await self._find_conversations(connection, rows)
            await self._render(connection, rows)
            new = await self._insert(connection, rows)
            fresh = [row for row in rows if row.request.message_id in new]
            receipt = await self._outbox.add(connection, asked.events(fresh))
            await feed.append(connection, [asked.change(row) for row in fresh])
        return rows, receipt

    def _row(self, request: MessageRequested) -> Asked:
        content: dict[str, Any] = storable(request.content.model_dump(mode="json", exclude_none=True))
        return Asked(request, content, shown(request.content.type, content))

    async def _find_people(self, connection: Connection, rows: list[Asked]) -> None:
        named = [row for row in rows if row.request.to.contact_id is not None]
        addressed = [row for row in rows if row.request.to.contact_id is None]
        known = await people.by_id(
            connection,
            [(row.request.workspace_id, row.request.to.contact_id) for row in named if row.request.to.contact_id],
        )
        for row in named:
            to = row.request.to.contact_id
            row.person = known.get((row.request.workspace_id, to)) if to else None
            if row.person is None:
                row.failure = failures.NO_CONTACT
        found = await people.at(
            connection,
            [
                Address(
                    row.request.workspace_id,
                    people.digits(row.request.to.phone) if row.request.to.phone else None,
                    row.request.to.user_id,
                )
                for row in addressed
            ],
        )
        for row, person in zip(addressed, found, strict=True):
            row.person = person
        for row, person in zip(rows, await people.hold(connection, [row.person for row in rows]), strict=True):
            row.person = person

    async def _find_channels(self, connection: Connection, rows: list[Asked]) -> None:
        named = await self._channels.get(connection, [r.request.channel_id for r in rows if r.request.channel_id])
        unnamed = [row for row in rows if row.request.channel_id is None and row.person is not None]
        if unnamed:
            ids = [row.person.id for row in unnamed if row.person]
            last = {row["contact_id"]: row["channel_id"] for row in await connection.fetch(_LAST_CHANNEL, ids)}
            named |= await self._channels.get(connection, last.values())
            defaults = await self._channels.defaults(connection, [row.request.workspace_id for row in unnamed])
            for row in unnamed:
                channel_id = last.get(row.person.id) if row.person else None
                row.channel = named.get(channel_id) if channel_id else defaults.get(row.request.workspace_id)
        for row in rows:
            if row.request.channel_id is not None:
                row.channel = named.get(row.request.channel_id)
            if row.channel is None or row.channel.workspace_id != row.request.workspace_id:
                row.channel = None
                row.failure = row.failure or failures.NO_CHANNEL

    async def _find_conversations(self, connection: Connection, rows: list[Asked]) -> None:
        whole = [row for row in rows if row.person and row.channel]
        found = await people.conversations(
            connection,
            [(r.request.workspace_id, r.channel.id, r.person.id) for r in whole if r.channel and r.person],
        )
        now = datetime.now(UTC)
        for row in whole:
            if row.channel is None or row.person is None:
                continue
            conversation = found[row.channel.id, row.person.id]
            row.conversation_id = conversation.id
            row.failure = _refused(row.request, row.channel, row.person, conversation.last_inbound_at, now)

    async def _render(self, connection: Connection, rows: list[Asked]) -> None:
        """Say what template messages say, where their templates are known; WhatsApp Web sends that in their place.

        Kept with the message: what was accepted is sent, whatever becomes of the template meanwhile.
        """
        named = [
            (row, row.channel, row.request.content)
            for row in rows
            if row.channel and row.failure is None and isinstance(row.request.content, Template)
        ]
        if not named:
            return
        known = await self._templates.get(connection, {templates.key_of(channel, told) for _, channel, told in named})
        for row, channel, content in named:
            key = templates.key_of(channel, content)
            if channel.by_session:
                said = templates.written(known[key], content)
                if isinstance(said, Failure):
                    row.failure = said
                    continue
                row.content[web.RENDERED] = said = storable(said)
                row.text = shown(said["type"], said)
            elif (read := templates.read(known[key], content)) is not None and read.text:
                row.text = storable(read.text)[:MAX_SHOWN]

    async def _insert(self, connection: Connection, rows: list[Asked]) -> set[UUID]:
        requests = [row.request for row in rows]
        inserted = await connection.fetch(
            _INSERT,
            [r.message_id for r in requests],
            [r.workspace_id for r in requests],
            [row.conversation_id for row in rows],
            [row.person.id if row.person else None for row in rows],
            [row.channel.id if row.channel else None for row in rows],
            [r.content.type for r in requests],
            [row.content for row in rows],
            [row.text for row in rows],
            [LANES[r.lane] for r in requests],
            [r.reply_to for r in requests],
            [r.retry_of for r in requests],
            [r.origin.kind for r in requests],
            [r.origin.id for r in requests],
            [row.failure.model_dump() if row.failure else None for row in rows],
            [r.requested_at for r in requests],
        )
        new = {row["id"] for row in inserted}
        fresh = [row for row in rows if row.request.message_id in new and row.person]
        conversations = sorted({row.conversation_id for row in fresh if row.conversation_id})
        contacts = sorted({row.person.id for row in fresh if row.person and row.request.lane is not Lane.CAMPAIGN})
        if conversations:
            await connection.execute(_TOUCH, conversations, contacts)
        ahead: dict[Lane, set[UUID]] = defaultdict(set)
        for row in fresh:
            if row.conversation_id and row.request.lane is not Lane.CAMPAIGN:
                ahead[row.request.lane].add(row.conversation_id)
        for lane, hurried in ahead.items():
            await connection.execute(_HURRY, sorted(hurried), LANES[lane])
        return new


def _refused(
    request: MessageRequested, channel: Channel, person: Person, last_inbound_at: datetime | None, now: datetime
) -> Failure | None:
    if channel.by_session:
        refused = web.unsendable(request.content.type) or web.unreachable(person)
    elif not isinstance(request.content, Template) and window.is_closed(last_inbound_at, now):
        refused = failures.WINDOW_CLOSED
    else:
        refused = None
    if refused is None and person.marketing_opt_out and request.origin.kind is OriginKind.CAMPAIGN:
        refused = failures.OPTED_OUT
    return refused
