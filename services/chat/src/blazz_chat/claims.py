"""Claims: what may be sent now, in the right order and at the right rate, is taken by one instance.

A claim is one short transaction: tokens from the channel's bucket, the lowest unsent message of each conversation, an
attempt row. Only what is committed as `sending` is ever handed to a provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection, Database
from blazz_contracts.session import SessionState

from blazz_chat.channels import URGENT_SHARE, Channel
from blazz_chat.providers.protocol import Outgoing

_BUCKET = """
insert into channel_buckets (channel_id, tokens, refilled_at) values ($1, $3, now())
on conflict (channel_id) do update
set tokens = least($3, channel_buckets.tokens + $2 * extract(epoch from now() - channel_buckets.refilled_at)),
    refilled_at = now()
returning tokens
"""
# A channel without a rate takes no tokens; its daily limit is counted by one claim at a time all the same.
_ALONE = """
insert into channel_buckets (channel_id, tokens, refilled_at) values ($1, 0, now())
on conflict (channel_id) do update set tokens = channel_buckets.tokens
"""
_TAKE = "update channel_buckets set tokens = tokens - $2 where channel_id = $1"

# What a WhatsApp Web session has in hand, and what is on its way there. One claim of a channel at a time, or two would
# each fill the window.
_SESSION = """
select session_state as state, case when session_since <= now() then session_since end as since
from channels where id = $1 for no key update
"""
_IN_HAND = """
select (select count(*) from messages where channel_id = $1 and status = 'sending' and lease_until is null)
     + (select count(*) from messages where status = 'sending' and lease_until is not null and channel_id = $1)
"""

# The lowest unsent message of a conversation goes first. One that waits for a retry holds back later ones only until
# `holds_until`; one whose sender died, until its lease has been over for as long. What a session has may come back: it
# holds back later ones until the session tells what became of it, or has had it for as long while ready.
# A subquery, not `not exists`: PostgreSQL makes a join of that one, and where it takes the unsent for few it compares
# each with each (7 ms in place of 1 for 54 of 168, measured).
_CANDIDATES = """
select m.id, m.conversation_id, m.contact_id, v.pair_free_at, v.last_inbound_at, v.business_opened_at
from messages m join conversations v on v.id = m.conversation_id
where m.channel_id = $1 and m.status = 'pending' and m.waits_for is null and m.lane = any($2::smallint[])
  and (
    select 1 from messages e
    where e.conversation_id = m.conversation_id and e.position < m.position and e.status in ('pending', 'sending')
      and case when e.status = 'pending' then e.holds_until is null or e.holds_until > now()
               when e.lease_until is not null then e.lease_until > now() - make_interval(secs => $4)
               else now() - make_interval(secs => $4) < (
                   select greatest(a.started_at, a.asked_at, $5) from attempts a
                   where a.message_id = e.id and a.number = e.attempt) end
    limit 1) is null
order by m.lane, m.position limit $3
for update of m skip locked
"""
_CLAIM = """
with claimed as (
    update messages m set status = 'sending', attempt = m.attempt + 1, next_attempt_at = null,
           lease_until = now() + make_interval(secs => $2)
    from unnest($1::uuid[]) c (id) where m.id = c.id
    returning m.id, m.position, m.workspace_id, m.channel_id, m.contact_id, m.attempt, m.content, m.reply_to, m.lane,
              m.created_at, m.lease_until, m.for_number
), attempted as (
    insert into attempts (message_id, number, workspace_id, channel_id)
    select id, attempt, workspace_id, channel_id from claimed
    on conflict (message_id, number) do update set asked_at = now()
    returning message_id, started_at, asked_at
)
select claimed.*, t.started_at, t.asked_at is not null as handed_before,
       coalesce(c.wa_id, c.phone) as phone, c.user_id, c.lid,
       coalesce(claimed.for_number, n.first_number) as for_number, n.display_phone_number as linked_number,
       r.provider_message_id as reply_to_provider_id
from claimed join contacts c on c.id = claimed.contact_id join attempted t on t.message_id = claimed.id
join channels n on n.id = claimed.channel_id
left join messages r on r.id = claimed.reply_to and r.channel_id = claimed.channel_id
order by claimed.lane, claimed.position
"""
_WAIT = """
update messages m set waits_for = w.reason, next_attempt_at = w.until
from unnest($1::uuid[], $2::text[], $3::timestamptz[]) w (id, reason, until) where m.id = w.id
"""
_PAIR = """
update conversations v set pair_free_at = p.free_at
from unnest($1::uuid[], $2::timestamptz[]) p (id, free_at) where v.id = p.id
"""
# Counted once a second, not at each claim: a day has up to 100,000 of them. In between, claims add their own under the
# bucket's lock, and what grows older than a day is missed for a second at most.
_OPENED_KNOWN = """
select opened as n, oldest_opened_at as oldest from channel_buckets
where channel_id = $1 and opened_counted_at > now() - interval '1 second'
"""
_OPENED_COUNT = """
update channel_buckets b set opened = c.n, oldest_opened_at = c.oldest, opened_counted_at = now()
from (select count(*) as n, min(business_opened_at) as oldest from conversations
      where channel_id = $1 and business_opened_at > now() - interval '24 hours') c
where b.channel_id = $1
returning opened as n, oldest_opened_at as oldest
"""
_OPENED_MORE = "update channel_buckets set opened = opened + $2 where channel_id = $1"
_OPENED = "update conversations set business_opened_at = now() where id = any($1::uuid[])"
# Held until the claim is committed: who stores what a customer writes waits for it, and then finds the message that the
# limit refused (`inbound`). A conversation that somebody holds is not waited for, since they may wait for our messages.
_NOT_WRITING = """
select id, last_inbound_at from conversations where id = any($1::uuid[]) order by id for share skip locked
"""
# What waits for a stopped channel is let go with it; one that was refused while the channel was started again, now.
_WAKE = """
update messages set waits_for = null where id in (
    select m.id from messages m
    where m.status = 'pending' and m.waits_for is not null and m.next_attempt_at <= now()
      and (m.waits_for <> 'channel_stopped'
           or exists (select 1 from channels c where c.id = m.channel_id and c.state = 'active'))
    order by m.next_attempt_at limit $1 for update of m skip locked)
returning channel_id
"""
_MOST_WOKEN = 1000
_READY = """
select c.id from channels c
where c.state = 'active' and c.deleted_at is null and (c.provider <> 'webjs' or c.session_state = 'ready') and exists (
    select 1 from messages m where m.channel_id = c.id and m.status = 'pending' and m.waits_for is null)
"""
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed."""

    messages: list[Outgoing]
    wait: float | None = None
    """Seconds until the bucket has a token again, when it ran dry."""
    more: bool = False
    """All that was found has to wait, and there may be others that need not."""


class Claims:
    """Takes messages for sending."""

    def __init__(self, database: Database, *, lease: float, hold_back: float, window: int) -> None:
        """`lease`, `hold_back` in seconds; `window`: what a WhatsApp Web session may have in hand."""
        self._database = database
        self._lease = lease
        self._hold_back = hold_back
        self._window = window

    async def take(self, channel: Channel, lanes: Sequence[int], most: int, *, urgent: bool) -> Claim:
        """Claim up to `most` messages of these lanes."""
        return await self._database.retrying(lambda: self._take(channel, lanes, most, urgent=urgent))

    async def _take(self, channel: Channel, lanes: Sequence[int], most: int, *, urgent: bool) -> Claim:
        rate = channel.limits.messages_per_second
        wait: float | None = None
        since: datetime | None = None
        async with self._database.worker() as connection:
            if channel.by_session:
                room, since = await self._room(connection, channel, urgent=urgent)
                most = min(most, room)
                if most < 1:
                    return Claim([])  # the next status makes room, the next news of the session opens it
            if rate is not None:
                tokens = float(await connection.fetchval(_BUCKET, channel.id, rate, channel.limits.bucket_size))
                spare = 0.0 if urgent else channel.limits.urgent_share
                left = int(tokens - spare)
                if left < 1:
                    return Claim([], wait=(1 + spare - tokens) / rate)
                if left <= most:
                    most, wait = left, 1 / rate
            elif channel.limits.recipients_per_day is not None:
                await connection.execute(_ALONE, channel.id)
            candidates = await connection.fetch(_CANDIDATES, channel.id, list(lanes), most, self._hold_back, since)
            if not candidates:
                return Claim([])
            if channel.limits.pair_seconds or channel.limits.recipients_per_day:
                candidates = await self._within_limits(connection, channel, candidates)
            if not candidates:
                return Claim([], more=True)
            rows = await connection.fetch(_CLAIM, [row["id"] for row in candidates], self._lease)
            if rate is not None:
                await connection.execute(_TAKE, channel.id, float(len(rows)))
        # Every token went: asking again before there is another would be for nothing.
        return Claim([_outgoing(row) for row in rows], wait=wait if len(rows) == most else None)

    async def _room(self, connection: Connection, channel: Channel, *, urgent: bool) -> tuple[int, datetime | None]:
        """How many more a session may be handed, and since when it is ready: none while it is not.

        Urgent ones have a share of the window.
        """
        session = await connection.fetchrow(_SESSION, channel.id)
        if session is None or session["state"] != SessionState.READY:
            return 0, None
        spare = 0 if urgent else min(ceil(self._window * URGENT_SHARE), self._window - 1)
        return self._window - spare - int(await connection.fetchval(_IN_HAND, channel.id)), session["since"]

    async def _within_limits(self, connection: Connection, channel: Channel, candidates: list[Any]) -> list[Any]:
        now: datetime = await connection.fetchval("select now()")
        waits: list[tuple[UUID, str, datetime]] = []
        if channel.limits.recipients_per_day is not None:
            candidates = await self._within_tier(connection, channel, candidates, now, waits)
        if channel.limits.pair_seconds is not None:
            candidates = await self._within_pair(connection, channel, candidates, now, waits)
        if waits:
            await connection.execute(_WAIT, [w[0] for w in waits], [w[1] for w in waits], [w[2] for w in waits])
        return candidates

    async def _within_tier(
        self, connection: Connection, channel: Channel, candidates: list[Any], now: datetime, waits: list[Any]
    ) -> list[Any]:
        """Unique recipients that the business writes to first, in a moving 24 hours (Meta's messaging limit)."""
        firsts = [
            row
            for row in candidates
            if (row["last_inbound_at"] is None or now - row["last_inbound_at"] >= DAY)
            and (row["business_opened_at"] is None or now - row["business_opened_at"] >= DAY)
        ]
        if not firsts:
            return candidates
        counted = await connection.fetchrow(_OPENED_KNOWN, channel.id)
        counted = counted or await connection.fetchrow(_OPENED_COUNT, channel.id)
        room = max(0, (channel.limits.recipients_per_day or 0) - (counted["n"] if counted else 0))
        oldest = counted["oldest"] if counted and counted["oldest"] else now
        refused = await self._refuse(connection, firsts[room:], now, oldest + DAY)
        waits.extend((row, "tier", until) for row, until in refused.items())
        opened = [row["conversation_id"] for row in firsts[:room]]
        if opened:
            await connection.execute(_OPENED, sorted(opened))
            await connection.execute(_OPENED_MORE, channel.id, len(opened))
        return [row for row in candidates if row["id"] not in refused]

    async def _refuse(
        self, connection: Connection, rows: list[Any], now: datetime, until: datetime
    ) -> dict[UUID, datetime]:
        """Until when each waits. Whoever has just written, or is being heard right now, is not written to first."""
        if not rows:
            return {}
        found = await connection.fetch(_NOT_WRITING, sorted({row["conversation_id"] for row in rows}))
        heard = {row["id"]: row["last_inbound_at"] for row in found}
        soon = now + timedelta(seconds=1)
        refused: dict[UUID, datetime] = {}
        for row in rows:
            if row["conversation_id"] not in heard:
                refused[row["id"]] = soon
            elif (last := heard[row["conversation_id"]]) is None or now - last >= DAY:
                refused[row["id"]] = max(until, soon)
        return refused

    async def _within_pair(
        self, connection: Connection, channel: Channel, candidates: list[Any], now: datetime, waits: list[Any]
    ) -> list[Any]:
        """One message per `pair_seconds` to one person, with bursts that borrow from later (GCRA)."""
        step = timedelta(seconds=channel.limits.pair_seconds or 0)
        tolerance = step * (channel.limits.pair_burst - 1)
        taken, moved = [], []
        for row in candidates:
            free_at = max(row["pair_free_at"] or now, now)
            if free_at - tolerance > now:
                waits.append((row["id"], "pair", free_at - tolerance))
                continue
            taken.append(row)
            moved.append((row["conversation_id"], free_at + step))
        if moved:
            moved.sort()
            await connection.execute(_PAIR, [m[0] for m in moved], [m[1] for m in moved])
        return taken

    async def wake(self) -> bool:
        """Let go of what has waited long enough, a part at a time; returns whether there may be more."""
        async with self._database.worker() as connection:
            return len(await connection.fetch(_WAKE, _MOST_WOKEN)) == _MOST_WOKEN

    async def ready(self) -> set[UUID]:
        """Channels that have something to send."""
        async with self._database.worker() as connection:
            return {row["id"] for row in await connection.fetch(_READY)}


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(
        message_id=row["id"],
        attempt=row["attempt"],
        content=row["content"],
        phone=row["phone"],
        user_id=row["user_id"],
        lid=row["lid"],
        reply_to=row["reply_to_provider_id"],
        requested_at=row["created_at"],
        started_at=row["started_at"],
        lease_until=row["lease_until"],
        for_number=row["for_number"],
        linked_number=row["linked_number"],
        handed_before=row["handed_before"],
    )
