"""Reclaiming: what was claimed for a WhatsApp Web session and perhaps never handed over, or lost on the way to it.

The bridge sends one message and attempt once, however often it is asked. So a claim whose sender died, or could not
know whether the broker took it, is given back and made again under the same number, with no need to wait for evidence.
So is what a ready session has had for long: its queue may have been deleted with it, or it lies among dead letters. Of
what it sent it tells the outcome again. The attempt stays, so that the command says the same end each time, and that it
may have left is known.
"""

from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox, Receipt

from blazz_chat.doubting import doubt

_MOST = 500

_GIVE_BACK = """
with lost as (
    select m.id from messages m join channels c on c.id = m.channel_id and c.provider = 'webjs'
    where m.status = 'sending' and m.lease_until < now() order by m.lease_until limit $1 for update of m skip locked
)
update messages m set status = 'pending', attempt = m.attempt - 1, lease_until = null, waits_for = null
from lost where m.id = lost.id returning m.channel_id
"""
_ASK_AGAIN = """
with silent as (
    select m.id from channels c join messages m on m.channel_id = c.id
    join attempts a on a.message_id = m.id and a.number = m.attempt
    where c.provider = 'webjs' and c.session_state = 'ready' and c.state = 'active' and c.deleted_at is null
      and m.status = 'sending' and m.lease_until is null
      and coalesce(a.asked_at, a.started_at) < now() - make_interval(secs => $2)
    limit $1 for update of m skip locked
)
update messages m set status = 'pending', attempt = m.attempt - 1, waits_for = null
from silent where m.id = silent.id returning m.channel_id
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

    def __init__(self, database: Database, outbox: Outbox, *, settle: float, ask_again: float) -> None:
        """In seconds: `settle`, how long after its end a session may still tell what it sent; `ask_again`, after which
        a session that is ready is asked once more for what it has.
        """
        self._database = database
        self._outbox = outbox
        self._settle = settle
        self._ask_again = ask_again

    async def run_once(self) -> set[UUID]:
        """Give back what was lost; returns the channels in which messages wait again."""
        async with self._database.worker() as connection:
            back = await connection.fetch(_GIVE_BACK, _MOST)
            back += await connection.fetch(_ASK_AGAIN, _MOST, self._ask_again)
        self._outbox.send_soon(await self._database.retrying(self._doubt))
        return {row["channel_id"] for row in back}

    async def _doubt(self) -> Receipt:
        async with self._database.worker() as connection:
            found = [row["id"] for row in await connection.fetch(_LEFT_BEHIND, self._settle, _MOST)]
            return await doubt(connection, self._outbox, found)
