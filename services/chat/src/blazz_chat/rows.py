"""Message rows that are locked, decided on by `lifecycle`, and written back: one statement each way for a batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_contracts.message import Failure, Origin, OriginKind, Status

from blazz_chat import feed
from blazz_chat.lifecycle import State

# Locked in the order of ids, so that two batches wait for each other in one direction only.
_LOCK = """
select id, workspace_id, conversation_id, contact_id, channel_id, status, attempt, tries, provider_message_id, failure,
       waits_for, origin_kind, origin_id, sent_at
from messages where id = any($1::uuid[]) and conversation_id is not null order by id for update
"""
_REFUSED = "select message_id, number from attempts where message_id = any($1::uuid[]) and outcome = 'failed'"
# What a session gave back holds back later ones until it leaves, however long: it had its turn.
_SAVE = """
update messages m set status = r.status, waits_for = r.waits_for, tries = r.tries, failure = r.failure,
    provider_message_id = r.provider_message_id, attempt = r.attempt,
    next_attempt_at = case when r.wait is not null then now() + make_interval(secs => r.wait) end,
    holds_until = case when r.wait > 0 and r.waits_for <> 'session_offline'
                       then coalesce(m.holds_until, now() + make_interval(secs => $11)) end,
    lease_until = case when r.status = 'sending' then m.lease_until end,
    sent_at = coalesce(m.sent_at, r.sent_at),
    delivered_at = coalesce(m.delivered_at, r.delivered_at),
    read_at = coalesce(m.read_at, r.read_at)
from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::jsonb[], $6::text[], $7::float8[],
            $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $12::int[])
     r (id, status, waits_for, tries, failure, provider_message_id, wait, sent_at, delivered_at, read_at, attempt)
where m.id = r.id
"""
_REVIVE = """
insert into attempts (message_id, number, workspace_id, channel_id)
select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[]) on conflict do nothing
"""
_UNDO = """
delete from attempts a using unnest($1::uuid[], $2::int[]) u (id, number)
where a.message_id = u.id and a.number = u.number
"""
_SETTLE = """
update attempts a set outcome = s.outcome, finished_at = coalesce(a.finished_at, now()), failure = s.failure,
    provider_message_id = coalesce(s.provider_message_id, a.provider_message_id)
from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::jsonb[])
     s (id, number, outcome, provider_message_id, failure)
where a.message_id = s.id and a.number = s.number
  and a.outcome is distinct from s.outcome
"""


_UNSENT = frozenset({Status.PENDING, Status.SENDING})
_REFUSED_ONCE = frozenset({Status.PENDING, Status.FAILED})


@dataclass(slots=True)
class Row:
    """A locked message."""

    state: State
    conversation_id: UUID
    contact_id: UUID
    channel_id: UUID
    origin: Origin
    before: Status

    @property
    def moved_the_queue(self) -> bool:
        """Whether messages may be sent now that could not before: it was unsent, or is again."""
        return self.before in _UNSENT or self.state.status in _UNSENT


async def lock(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Lock outbound messages and read what decides about them."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    found = {row["id"]: _row(row) for row in await connection.fetch(_LOCK, wanted) if row["origin_kind"] is not None}
    # A first attempt under way or accepted, which is nearly every message, has no refusal behind it.
    tried = [row.state.id for row in found.values() if row.state.attempt > 1 or row.before in _REFUSED_ONCE]
    if tried:
        for attempt in await connection.fetch(_REFUSED, tried):
            found[attempt["message_id"]].state.refused.add(attempt["number"])
    return found


async def save(connection: Connection, rows: list[Row], *, hold_back: float) -> None:
    """Write back what changed, and the attempts that were settled."""
    changed = [row.state for row in rows if row.state.changed]
    if changed:
        await connection.execute(
            _SAVE,
            [s.id for s in changed],
            [s.status for s in changed],
            [s.waits_for for s in changed],
            [s.tries for s in changed],
            [s.failure.model_dump() if s.failure else None for s in changed],
            [s.provider_message_id for s in changed],
            [s.wait for s in changed],
            [s.times.get("sent_at") for s in changed],
            [s.times.get("delivered_at") for s in changed],
            [s.times.get("read_at") for s in changed],
            hold_back,
            [s.attempt for s in changed],
        )
    await _reckon(connection, rows)
    settled = [(row.state.id, number, *what) for row in rows for number, what in row.state.settled.items()]
    if settled:
        await connection.execute(
            _SETTLE,
            [s[0] for s in settled],
            [s[1] for s in settled],
            [s[2] for s in settled],
            [s[3] for s in settled],
            [s[4].model_dump() if s[4] else None for s in settled],
        )


async def _reckon(connection: Connection, rows: list[Row]) -> None:
    """Attempts that were given back and made all the same; attempts that were not made."""
    revived = [(row, number) for row in rows for number in row.state.revived]
    if revived:
        await connection.execute(
            _REVIVE,
            [row.state.id for row, _ in revived],
            [number for _, number in revived],
            [row.state.workspace_id for row, _ in revived],
            [row.channel_id for row, _ in revived],
        )
    undone = [(row.state.id, number) for row in rows for number in row.state.undone]
    if undone:
        await connection.execute(_UNDO, [u[0] for u in undone], [u[1] for u in undone])


def stopped(rows: Iterable[Row]) -> dict[UUID, str]:
    """The channels that cannot go on, and why."""
    return {row.channel_id: row.state.stops.title for row in rows if row.state.stops}


def changes(rows: Iterable[Row]) -> list[feed.Change]:
    """What the change feed says of them: each step once."""
    return [
        feed.Change(
            row.state.workspace_id,
            "status",
            row.state.id,
            {
                "status": status,
                "at": at.isoformat(),
                "conversation_id": str(row.conversation_id),
                "contact_id": str(row.contact_id),
                "failure": row.state.failure.model_dump() if status is Status.FAILED and row.state.failure else None,
            },
        )
        for row in rows
        for status, at in row.state.steps
    ]


def _row(row: Any) -> Row:
    status = Status(row["status"])
    return Row(
        State(
            id=row["id"],
            workspace_id=row["workspace_id"],
            status=status,
            attempt=row["attempt"],
            tries=row["tries"],
            provider_message_id=row["provider_message_id"],
            failure=Failure(**row["failure"]) if row["failure"] else None,
            waits_for=row["waits_for"],
            sent_before=row["sent_at"] is not None,
        ),
        row["conversation_id"],
        row["contact_id"],
        row["channel_id"],
        Origin(kind=OriginKind(row["origin_kind"]), id=row["origin_id"]),
        status,
    )
