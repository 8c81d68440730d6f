"""Reclaiming: what was claimed for a WhatsApp Web session and perhaps never handed over.

The bridge sends one message and attempt once, however often it is asked. So a claim whose sender died, or could not
know whether the broker took it, is given back and made again under the same number, with no need to wait for evidence.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox
from blazz_contracts.message import Status

from blazz_chat import feed, rows
from blazz_chat.telling import events

_MOST = 500

_GIVE_BACK = """
with lost as (
    select m.id, m.attempt from messages m join channels c on c.id = m.channel_id and c.provider = 'webjs'
    where m.status = 'sending' and m.lease_until < now() order by m.lease_until limit $1 for update of m skip locked
), gone as (
    delete from attempts a using lost where a.message_id = lost.id and a.number = lost.attempt
)
update messages m set status = 'pending', attempt = m.attempt - 1, lease_until = null, waits_for = null
from lost where m.id = lost.id returning m.channel_id
"""
# A number that was disconnected takes its session's queue with it: what lay there may have left just before.
_LEFT_BEHIND = """
select m.id from channels c join messages m on m.channel_id = c.id
where c.provider = 'webjs' and c.deleted_at < now() - make_interval(secs => $1)
  and m.status = 'sending' and m.lease_until is null
limit $2 for update of m skip locked
"""


class Reclaiming:
    """Looks for what sessions were to be handed."""

    def __init__(self, database: Database, outbox: Outbox, *, settle: float) -> None:
        """`settle` in seconds: how long after its end a session may still tell what it sent."""
        self._database = database
        self._outbox = outbox
        self._settle = settle

    async def run_once(self) -> set[UUID]:
        """Give back what was lost; returns the channels in which messages wait again."""
        async with self._database.worker() as connection:
            channels = {row["channel_id"] for row in await connection.fetch(_GIVE_BACK, _MOST)}
        self._outbox.send_soon(await self._database.retrying(self._doubt))
        return channels

    async def _doubt(self) -> Any:
        async with self._database.worker() as connection:
            found = [row["id"] for row in await connection.fetch(_LEFT_BEHIND, self._settle, _MOST)]
            states = await rows.lock(connection, found)
            now = datetime.now(UTC)
            for row in states.values():
                row.state.status, row.state.changed = Status.UNCONFIRMED, True
                row.state.steps.append((Status.UNCONFIRMED, now))
            await rows.save(connection, list(states.values()), hold_back=0)
            receipt = await self._outbox.add(connection, events(states.values()))
            await feed.append(connection, rows.changes(states.values()))
        return receipt
