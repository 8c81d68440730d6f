"""Abandoning: messages that can never leave, or only too late, fail, and whoever asked for them is told."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection, Database
from blazz_chassis.outbox import Outbox
from blazz_contracts.message import Status

from blazz_chat import failures, feed, rows
from blazz_chat.telling import events

_MOST = 500

_STRANDED = """
select m.id from channels c join messages m on m.channel_id = c.id
where c.deleted_at is not null and m.status = 'pending' and m.waits_for is null
limit $1 for update of m skip locked
"""
# Only what waits for a session that is away, and not for a moment: a long campaign of one that is ready takes the days
# it takes, and shall not end for a browser that is opened anew.
_EXPIRED = """
select m.id from channels c join messages m on m.channel_id = c.id
where c.provider = 'webjs' and c.session_state is distinct from 'ready' and m.status = 'pending'
  and m.created_at < now() - make_interval(secs => $2)
  and coalesce(c.session_since, c.created_at) < now() - make_interval(secs => least($2, 300))
limit $1 for update of m skip locked
"""
# What was handed over before, or may have been, has its attempt: it may have left, which the bridge knows, so it is
# asked at its turn.
_WAITS_FOR_ANOTHER = """
m.status = 'pending' and coalesce(m.for_number, c.first_number) <> c.display_phone_number
  and not exists (select 1 from attempts a where a.message_id = m.id and a.number = m.attempt + 1)
"""
# Looked for until there are none; what is stored or given back later is refused when its turn comes.
_RENUMBERED = f"""
select m.id, coalesce(m.for_number, c.first_number) as waited_for, c.display_phone_number as linked
from channels c join messages m on m.channel_id = c.id
where c.renumbering and {_WAITS_FOR_ANOTHER}
limit $1 for update of m skip locked
"""  # noqa: S608
# Counted again, since a locked one was skipped.
_NOBODY_WAITS = f"""
update channels c set renumbering = false where c.renumbering and not exists (
    select 1 from messages m where m.channel_id = c.id and {_WAITS_FOR_ANOTHER})
"""  # noqa: S608


class Abandoning:
    """Looks for messages of numbers that were disconnected, or that another number has replaced, and for those that
    wait too long for a session.
    """

    def __init__(self, database: Database, outbox: Outbox, *, expire: float) -> None:
        """`expire`: seconds that a message waits for a WhatsApp Web session that is away."""
        self._database = database
        self._outbox = outbox
        self._expire = expire

    async def run_once(self) -> int:
        """Fail some of them; returns how many."""
        receipt, number = await self._database.retrying(self._run_once)
        self._outbox.send_soon(receipt)
        return number

    async def _run_once(self) -> tuple[Any, int]:
        async with self._database.worker() as connection:
            stranded = dict.fromkeys(await _ids(connection, _STRANDED, _MOST), failures.CHANNEL_GONE)
            expired = dict.fromkeys(await _ids(connection, _EXPIRED, _MOST, self._expire), failures.EXPIRED)
            moved = await connection.fetch(_RENUMBERED, _MOST)
            renumbered = {row["id"]: failures.number_changed(row["waited_for"], row["linked"]) for row in moved}
            if not moved:
                await connection.execute(_NOBODY_WAITS)
            found = expired | renumbered | stranded
            states = await rows.lock(connection, list(found))
            now = datetime.now(UTC)
            for row in states.values():
                row.state.status, row.state.failure = Status.FAILED, found[row.state.id]
                row.state.changed = True
                row.state.steps.append((Status.FAILED, now))
            await rows.save(connection, list(states.values()), hold_back=0)
            receipt = await self._outbox.add(connection, events(states.values()))
            await feed.append(connection, rows.changes(states.values()))
        return receipt, len(found)


async def _ids(connection: Connection, sql: str, *arguments: Any) -> list[UUID]:
    return [row["id"] for row in await connection.fetch(sql, *arguments)]
