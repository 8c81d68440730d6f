"""Who runs which session: one owner at a time, by a lease with a fencing token.

What an owner writes names its fence, so that one who has lost the lease without noticing changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.database import Database

from blazz_webjs_bridge import session
from blazz_webjs_bridge.session import COLUMNS, Session

log = structlog.get_logger(__name__)

_UNREADABLE = 60.0  # seconds

# A deleted one that is linked is opened once more, to remove its device from the phone.
_FREE = """
(s.wanted = 'running' or s.wanted = 'deleted' and s.seen_until is not null and s.unlink_until > now())
and s.made and s.deleted_at is null and s.start_after <= now()
and (s.owner is null or s.lease_until < now() or s.owner = $1) and not (s.id = any($4::uuid[]))
"""
# Linked ones first: a code may wait, messages may not. Of those, the instance's own of before a quick restart: their
# browser profiles are warm. Then a workspace's first before another's second, counting what it runs already, anywhere:
# linked ones count against linked ones, and every one against a code.
_TAKE = f"""
with busy as (
    select workspace_id, count(*) as all_of_it, count(*) filter (where seen_until is not null) as linked
    from web_sessions where lease_until >= now() and (owner <> $1 or id = any($4::uuid[])) group by workspace_id
), free as (
    select s.id, s.workspace_id, s.seen_until is not null as linked,
        s.seen_until is not null and s.owner is not distinct from $1 as warm,
        row_number() over (partition by s.workspace_id order by s.seen_until is null, s.start_after, s.id) as place
    from web_sessions s where {_FREE}
), turns as (
    select f.id, f.linked, f.warm, f.place + coalesce(case when f.linked then b.linked else b.all_of_it end, 0) as turn
    from free f left join busy b using (workspace_id)
)
update web_sessions set owner = $1, fence = fence + 1, lease_until = now() + make_interval(secs => $2)
where id in (
    select s.id from web_sessions s join turns t on t.id = s.id where {_FREE}
    order by not t.linked, not t.warm, t.turn, s.start_after limit $3 for update of s skip locked)
returning {COLUMNS}
"""  # noqa: S608
# Each is told of to one instance at a time, which makes room for it; when that took too long it is told of again.
_WAITING = """
update web_sessions set start_after = now() where id in (
    select id from web_sessions
    where wanted = 'running' and seen_until is not null and made and deleted_at is null
      and start_after < now() - make_interval(secs => $1)
      and (owner is null or lease_until < now() - make_interval(secs => $1))
    order by start_after limit $2 for update skip locked)
returning id
"""
# A mark that is null belongs to a session that is not linked: what its owner remembers is of the phone before, and
# must not come back, or all that the next phone had said since would be brought in.
_RENEW = """
update web_sessions s set lease_until = now() + make_interval(secs => $4), heard_at = coalesce(h.heard_at, s.heard_at),
    memory_bytes = coalesce(h.memory, s.memory_bytes),
    seen_until = case when s.seen_until is not null then greatest(s.seen_until, h.seen_until) end
from unnest($1::uuid[], $2::bigint[], $5::timestamptz[], $6::bigint[], $7::timestamptz[])
     h (id, fence, heard_at, memory, seen_until)
where s.id = h.id and s.owner = $3 and s.fence = h.fence
returning s.id, s.wanted, s.options
"""
_RELEASE = """
update web_sessions set owner = null, lease_until = null, start_after = now() + make_interval(secs => $3),
    seen_until = case when seen_until is not null then greatest(seen_until, $4) end, memory_bytes = null
where id = $1 and fence = $2
"""
_ASKED = """
delete from web_session_requests where session_id = any($1::uuid[]) returning id, session_id, kind, data
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life of a session that this instance runs."""

    session_id: UUID
    fence: int
    heard_at: Any = None
    memory: int | None = None
    seen_until: Any = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks of a running session."""

    session_id: UUID
    kind: str
    data: dict[str, Any]


class Leases:
    """The leases of one instance."""

    def __init__(self, database: Database, *, instance: str, lease: float) -> None:
        """`lease` in seconds."""
        self._database, self._instance, self._lease = database, instance, lease

    async def take(self, most: int, running: Sequence[UUID]) -> list[Session]:
        """Take up to `most` sessions that nobody runs; none of `running`, which may still be ending here.

        Linked ones come before those that only show a code, and workspaces take turns.
        """
        async with self._database.worker() as connection:
            rows = await connection.fetch(_TAKE, self._instance, self._lease, most, list(running))
        taken = []
        for row in rows:
            try:
                taken.append(session.of(row))
            except ValueError:
                # One row that cannot be read holds up no other; it is tried again after a while.
                log.exception("session_not_read", session_id=str(row["id"]))
                await self.release(Sign(row["id"], row["fence"]), pause=_UNREADABLE)
        return taken

    async def waiting(self, most: int, *, patience: float) -> int:
        """How many linked sessions, up to `most`, have waited for room longer than `patience` seconds.

        Who asks is to make room for them: nobody else is told of the same ones meanwhile.
        """
        async with self._database.worker() as connection:
            return len(await connection.fetch(_WAITING, patience, most))

    async def renew(self, signs: Sequence[Sign]) -> Mapping[UUID, tuple[str, dict[str, Any]]]:
        """Keep these; returns those that are still ours, with what is wanted of them and their options."""
        async with self._database.worker() as connection:
            rows = await connection.fetch(
                _RENEW,
                [sign.session_id for sign in signs],
                [sign.fence for sign in signs],
                self._instance,
                self._lease,
                [sign.heard_at for sign in signs],
                [sign.memory for sign in signs],
                [sign.seen_until for sign in signs],
            )
        return {row["id"]: (row["wanted"], row["options"]) for row in rows}

    async def release(self, sign: Sign, *, pause: float = 0.0) -> None:
        """Let one go with a last sign: the next owner may take it after `pause` seconds."""
        async with self._database.worker() as connection:
            await connection.execute(_RELEASE, sign.session_id, sign.fence, pause, sign.seen_until)

    async def asked(self, running: Sequence[UUID]) -> list[Asked]:
        """Take what people ask of these sessions, oldest first; each kind once a session, as it was asked last."""
        if not running:
            return []
        async with self._database.worker() as connection:
            rows = await connection.fetch(_ASKED, list(running))
        in_order = sorted(rows, key=lambda row: row["id"])
        last = {(row["session_id"], row["kind"]): row["data"] for row in in_order}
        return [Asked(session_id, kind, data) for (session_id, kind), data in last.items()]
