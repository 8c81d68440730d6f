"""How many listen to a channel, on all instances: for the HTTP API."""

import asyncio
from itertools import islice
from uuid import UUID

import structlog
from blazz_chassis.database import Database
from blazz_chassis.errors import Unavailable

from blazz_notifier.registry import Registry

log = structlog.get_logger(__name__)

_MOST = 2000  # channels written at a time: names of public channels are anybody's to make up
_EVERY = 1.0  # seconds: how old the counts of other instances may be

_UPSERT = """
insert into notifier_occupancy (instance_id, channel, workspace_id, subscriptions)
select $1, * from unnest($2::text[], $3::uuid[], $4::int[])
on conflict (instance_id, channel) do update set subscriptions = excluded.subscriptions
"""
_DELETE = "delete from notifier_occupancy where instance_id = $1 and channel = any($2::text[])"
_OTHERS = """
select o.channel, sum(o.subscriptions)::int as subscriptions from notifier_occupancy o
join notifier_instances i on i.instance_id = o.instance_id and i.lease_until > now()
where o.instance_id <> $1
and ($2::text is null or starts_with(o.channel, $2)) and ($3::text[] is null or o.channel = any($3))
group by o.channel
"""
_USERS = """
select p.channel, count(distinct p.user_id)::int as users from notifier_presence p
where p.channel = any($1::text[]) group by p.channel
"""
_MEMBERS = "select distinct user_id from notifier_presence where channel = $1 order by user_id"


class Occupancy:
    """Writes this instance's counts down when they change, and adds up everybody's."""

    def __init__(self, database: Database, registry: Registry, *, instance_id: UUID) -> None:
        self._database, self._registry, self._instance_id = database, registry, instance_id

    async def run(self) -> None:
        """Write what changed once a second, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.write()
            except Unavailable as error:
                log.info("occupancy_not_written", error=error.code)

    async def write(self) -> None:
        """Write what changed since the last time, `_MOST` at once."""
        changed = dict(islice(self._registry.changed.items(), _MOST))
        if not changed:
            return
        for name in changed:
            del self._registry.changed[name]
        counts = {name: len(self._registry.listeners(name)) for name in changed}
        try:
            async with self._database.worker() as connection:
                if gone := [name for name, count in counts.items() if not count]:
                    await connection.execute(_DELETE, self._instance_id, gone)
                if there := [name for name, count in counts.items() if count]:
                    await connection.execute(
                        _UPSERT,
                        self._instance_id,
                        there,
                        [changed[name].workspace_id for name in there],
                        [counts[name] for name in there],
                    )
        except BaseException:
            self._registry.changed = changed | self._registry.changed
            raise

    def forget(self) -> None:
        """Write everything anew next time: others may have removed it."""
        self._registry.changed |= {channel.name: channel for channel, _ in self._registry.channels()}

    async def counts(self, *, prefix: str | None = None, names: list[str] | None = None) -> dict[str, int]:
        """Occupied channels and their subscriptions: all, those that begin so, or those named.

        Raises `Unavailable` when the database is away.
        """
        async with self._database.worker() as connection:
            rows = await connection.fetch(_OTHERS, self._instance_id, prefix, names)
        counts = {row["channel"]: row["subscriptions"] for row in rows}
        here = (
            ((name, len(self._registry.listeners(name))) for name in set(names))
            if names is not None
            else ((channel.name, count) for channel, count in self._registry.channels())
        )
        for name, count in here:
            if count and (prefix is None or name.startswith(prefix)):
                counts[name] = counts.get(name, 0) + count
        return counts

    async def user_counts(self, channels: list[str]) -> dict[str, int]:
        """Distinct users of presence channels."""
        async with self._database.worker() as connection:
            return {row["channel"]: row["users"] for row in await connection.fetch(_USERS, channels)}

    async def users(self, channel: str) -> list[str]:
        """The users of a presence channel."""
        async with self._database.worker() as connection:
            return [row["user_id"] for row in await connection.fetch(_MEMBERS, channel)]
