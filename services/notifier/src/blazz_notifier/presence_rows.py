"""The presence table: one row a socket on a presence channel, of the instance that holds the socket.

The statements run as the worker role: a batch spans workspaces.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from blazz_chassis.database import Connection

Pair = tuple[str, str]
"""Channel and user id: a member, however many sockets they have."""


@dataclass(frozen=True, slots=True)
class Row:
    """A socket on a presence channel."""

    instance_id: UUID
    socket_id: str
    channel: str
    workspace_id: UUID
    user_id: str
    token: int
    """Of this subscription: who subscribes again at once gets another, so that the end of the old one ends only it."""
    user_info: dict[str, Any] | None = None


_RENEW = """
with before as (select lease_until from notifier_instances where instance_id = $1)
insert into notifier_instances (instance_id, name, lease_until) values ($1, $2, now() + make_interval(secs => $3))
on conflict (instance_id) do update set lease_until = excluded.lease_until
returning coalesce((select lease_until > now() from before), false) as held
"""


async def renew(connection: Connection, instance_id: UUID, name: str, seconds: float) -> bool:
    """Renew the instance's lease; False when it had lapsed, so that its rows may have been removed."""
    return bool(await connection.fetchval(_RENEW, instance_id, name, seconds))


def _lock_key(pair: Pair) -> int:
    digest = hashlib.blake2b("\0".join(pair).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


async def lock(connection: Connection, pairs: Iterable[Pair]) -> None:
    """Let nobody else change these members until the transaction ends: first and last sockets are told apart by it."""
    keys = sorted({_lock_key(pair) for pair in pairs})
    # Always in the same order, so that two instances never wait for each other.
    await connection.execute(
        "select pg_advisory_xact_lock(key) from (select key from unnest($1::bigint[]) as key order by key) as keys",
        keys,
    )


_EXISTING = """
select distinct on (p.channel, p.user_id) p.channel, p.user_id, p.user_info
from unnest($1::text[], $2::text[]) as wanted (channel, user_id)
join notifier_presence p on p.channel = wanted.channel and p.user_id = wanted.user_id
order by p.channel, p.user_id, p.joined_at, p.socket_id
"""


async def existing(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, dict[str, Any] | None]:
    """Those of the members that are present, with their user_info (of their first socket)."""
    wanted = list(pairs)
    found = await connection.fetch(_EXISTING, [channel for channel, _ in wanted], [user for _, user in wanted])
    return {(row["channel"], row["user_id"]): row["user_info"] for row in found}


_MEMBERS = """
select distinct on (channel, user_id) channel, user_id, user_info
from notifier_presence where channel = any($1::text[])
order by channel, user_id, joined_at, socket_id
"""


async def members(connection: Connection, channels: Iterable[str]) -> dict[str, dict[str, dict[str, Any] | None]]:
    """All members of these channels: channel → user id → user_info."""
    wanted = list(channels)
    found: dict[str, dict[str, dict[str, Any] | None]] = {channel: {} for channel in wanted}
    for row in await connection.fetch(_MEMBERS, wanted):
        found[row["channel"]][row["user_id"]] = row["user_info"]
    return found


_INSERT = """
insert into notifier_presence (instance_id, socket_id, channel, workspace_id, user_id, token, user_info)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::jsonb[])
on conflict (channel, socket_id) do update
set user_id = excluded.user_id, token = excluded.token, user_info = excluded.user_info
"""


async def insert(connection: Connection, rows: list[Row]) -> None:
    """Add rows; one that is there already stays."""
    await connection.execute(
        _INSERT,
        [row.instance_id for row in rows],
        [row.socket_id for row in rows],
        [row.channel for row in rows],
        [row.workspace_id for row in rows],
        [row.user_id for row in rows],
        [row.token for row in rows],
        [row.user_info for row in rows],
    )


_DELETE = """
delete from notifier_presence p
using unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) as gone (instance_id, socket_id, channel, token)
where p.channel = gone.channel and p.socket_id = gone.socket_id
and p.instance_id = gone.instance_id and p.token = gone.token
and (p.instance_id = $5 or not exists (
    select 1 from notifier_instances i where i.instance_id = p.instance_id and i.lease_until > now()
))
"""


async def delete(connection: Connection, rows: list[Row], own_instance: UUID) -> None:
    """Remove rows of one's own, and those of instances whose lease has lapsed (another's live row stays)."""
    await connection.execute(
        _DELETE,
        [row.instance_id for row in rows],
        [row.socket_id for row in rows],
        [row.channel for row in rows],
        [row.token for row in rows],
        own_instance,
    )


_ORPHANS = """
select p.instance_id, p.socket_id, p.channel, p.workspace_id, p.user_id, p.token from notifier_presence p
where not exists (select 1 from notifier_instances i where i.instance_id = p.instance_id and i.lease_until > now())
limit $1
"""


async def orphans(connection: Connection, limit: int) -> list[Row]:
    """Rows of instances that fell silent."""
    return [Row(**cast("dict[str, Any]", dict(row))) for row in await connection.fetch(_ORPHANS, limit)]


async def forget_instances(connection: Connection, older_than: float) -> None:
    """Remove lapsed leases (by `older_than` seconds) of instances that hold no rows any more, and their occupancy."""
    await connection.execute(
        "delete from notifier_occupancy o where not exists "
        "(select 1 from notifier_instances i where i.instance_id = o.instance_id and i.lease_until > now())"
    )
    await connection.execute(
        "delete from notifier_instances i where i.lease_until < now() - make_interval(secs => $1) "
        "and not exists (select 1 from notifier_presence p where p.instance_id = i.instance_id)",
        older_than,
    )


async def end(connection: Connection, instance_id: UUID) -> None:
    """Give the lease up: what the instance held is free to be removed at once."""
    await connection.execute("update notifier_instances set lease_until = now() where instance_id = $1", instance_id)
