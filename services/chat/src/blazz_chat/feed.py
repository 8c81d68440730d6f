"""The change feed: every change of a workspace once, in commit order, without a gap."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import BlazzError
from blazz_contracts.views.change import Changes, ChangeView

Kind = Literal["message", "status", "conversation", "contact"]

# The head's row lock is held until commit: whoever writes next to this workspace waits, so cursors grow in commit
# order. Taken last in a transaction, and in the order of workspaces, so that nobody waits in a circle.
_HEADS = "insert into feed_heads (workspace_id) select unnest($1::uuid[]) on conflict do nothing"
_LOCK = (
    "select workspace_id, cursor from feed_heads where workspace_id = any($1::uuid[]) order by workspace_id for update"
)
_APPEND = """
with moved as (
    update feed_heads set cursor = new.cursor
    from unnest($6::uuid[], $7::bigint[]) new (workspace_id, cursor) where feed_heads.workspace_id = new.workspace_id
)
insert into changes (workspace_id, cursor, kind, id, data)
select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::jsonb[])
"""
_READ = (
    "select cursor, kind, id, data, at from changes where workspace_id = $1 and cursor > $2 order by cursor limit $3"
)
_HEAD = "select cursor from feed_heads where workspace_id = $1"
# A part at a time: a million rows in one statement would outlast its time limit, each time anew.
_PURGE = """
delete from changes where ctid = any(array(
    select ctid from changes where at < now() - make_interval(days => $1) order by at limit $2))
"""
_PURGED_AT_ONCE = 5000


class CursorExpired(BlazzError):
    """Changes after this cursor were forgotten: what follows would have a gap."""

    code, title, status = "cursor_expired", "The feed does not reach back to this cursor", 410


@dataclass(frozen=True, slots=True)
class Change:
    """One change on its way into the feed."""

    workspace_id: UUID
    kind: Kind
    id: UUID
    data: dict[str, Any]


async def append(connection: Connection, changes: list[Change]) -> None:
    """Write changes, as the last thing before the transaction commits."""
    if not changes:
        return
    grouped: dict[UUID, list[Change]] = defaultdict(list)
    for change in changes:
        grouped[change.workspace_id].append(change)
    workspaces = sorted(grouped)
    heads = await connection.fetch(_LOCK, workspaces)
    if len(heads) < len(workspaces):
        await connection.execute(_HEADS, workspaces)
        heads = await connection.fetch(_LOCK, workspaces)
    rows: list[tuple[UUID, int, Change]] = []
    moved: list[tuple[UUID, int]] = []
    for head in heads:
        workspace_id, cursor = head["workspace_id"], head["cursor"]
        for change in grouped[workspace_id]:
            cursor += 1
            rows.append((workspace_id, cursor, change))
        moved.append((workspace_id, cursor))
    await connection.execute(
        _APPEND,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2].kind for row in rows],
        [row[2].id for row in rows],
        [row[2].data for row in rows],
        [row[0] for row in moved],
        [row[1] for row in moved],
    )


async def read(connection: Connection, workspace_id: UUID, *, after: int, limit: int) -> Changes:
    """Changes after a cursor, oldest first; after 0, from the oldest that is kept. Raises `CursorExpired`."""
    rows = await connection.fetch(_READ, workspace_id, after, limit + 1)
    gap = False
    if rows:
        gap = rows[-1]["cursor"] - after > len(rows)
    elif after and (await connection.fetchval(_HEAD, workspace_id) or 0) > after:
        # All that followed was forgotten, unless the first of it came just now.
        rows = await connection.fetch(_READ, workspace_id, after, limit + 1)
        gap = not rows
    if after and gap:
        raise CursorExpired(
            "changes after this cursor are no longer kept: read contacts and messages anew, then go on with after=0",
            field="after",
        )
    changes = [
        ChangeView(cursor=row["cursor"], kind=row["kind"], id=row["id"], data=row["data"], at=row["at"])
        for row in rows[:limit]
    ]
    return Changes(changes=changes, next=changes[-1].cursor if changes else after, more=len(rows) > limit)


async def purge(connection: Connection, *, days: int) -> bool:
    """Forget some changes older than this; returns whether there may be more."""
    return str(await connection.execute(_PURGE, days, _PURGED_AT_ONCE)) == f"DELETE {_PURGED_AT_ONCE}"
