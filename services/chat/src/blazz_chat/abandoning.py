"""Abandoning: what a number had still to send when it was disconnected fails, and whoever asked for it is told."""

from datetime import UTC, datetime
from typing import Any

from blazz_chassis.database import Database
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


class Abandoning:
    """Looks for messages that can never leave."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def run_once(self) -> int:
        """Fail some of them; returns how many."""
        receipt, number = await self._database.retrying(self._run_once)
        self._outbox.send_soon(receipt)
        return number

    async def _run_once(self) -> tuple[Any, int]:
        async with self._database.worker() as connection:
            found = [row["id"] for row in await connection.fetch(_STRANDED, _MOST)]
            states = await rows.lock(connection, found)
            now = datetime.now(UTC)
            for row in states.values():
                row.state.status, row.state.failure = Status.FAILED, failures.CHANNEL_GONE
                row.state.changed = True
                row.state.steps.append((Status.FAILED, now))
            await rows.save(connection, list(states.values()), hold_back=0)
            receipt = await self._outbox.add(connection, events(states.values()))
            await feed.append(connection, rows.changes(states.values()))
        return receipt, len(found)
