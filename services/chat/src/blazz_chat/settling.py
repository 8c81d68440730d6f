"""Settling: attempts whose outcome nobody told.

A crash between the provider's call and the commit leaves a message `sending`. A status that echoes the attempt
settles it (`statuses`). Where webhooks have flowed for the settle time, without a gap, since the attempt's lease ended,
and none spoke of it, it did not happen: it is sent again, or becomes `unconfirmed` where the workspace chose so.
They must have flowed at every gateway: what one turned away may come through any of them, later. While a status that
could not be applied waits in the retry queue, beats overtake it: the settle time counts from when it has come again.
Silence says nothing of a number that never brought a status, since its webhook may not be set up, nor does it twice of
one message: both become `unconfirmed`.
What goes through a WhatsApp Web session is settled by `reclaiming`.
"""

from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox, Receipt

from blazz_chat.doubting import doubt
from blazz_chat.statuses import RETRIED

_MOST = 500

# A second attempt that nobody told of is the last: silence is no proof where nothing is ever told.
_ATTEMPTS = 2

_UNSETTLED = """
with flows as (
    select f.until, f.silence, greatest(f.since, r.since) as since
    from webhook_flows f left join webhook_flows r on r.instance = $4 where f.instance <> $4
)
select m.id, case
    when c.status_seen_at is null then 'unconfirmed'
    when (select count(*) from attempts a where a.message_id = m.id and a.outcome = 'unsettled') + 1 >= $5
        then 'unconfirmed'
    else coalesce(w.unsettled, 'resend') end as policy
from messages m join channels c on c.id = m.channel_id and c.provider <> 'webjs'
left join workspaces w on w.workspace_id = m.workspace_id
where m.status = 'sending' and m.lease_until < now() and exists (
    select 1 from flows f where f.until - greatest(f.since, m.lease_until) >= make_interval(secs => $1))
  and not exists (
    select 1 from flows f
    where f.until > greatest(m.lease_until - make_interval(secs => f.silence), now() - make_interval(secs => $3))
      and f.until - greatest(f.since, m.lease_until) < make_interval(secs => $1))
order by m.lease_until limit $2
for update of m skip locked
"""
_RESEND = """
update messages set status = 'pending', waits_for = null, lease_until = null
where id = any($1::uuid[]) returning channel_id
"""
_MARK = """
update attempts a set outcome = 'unsettled', finished_at = now() from messages m
where m.id = any($1::uuid[]) and a.message_id = m.id and a.number = m.attempt and a.outcome is null
"""


class Settling:
    """Looks for attempts of unknown outcome."""

    def __init__(self, database: Database, outbox: Outbox, *, settle: float, gateway_gone: float) -> None:
        """In seconds: `settle`; `gateway_gone`, after which a silent gateway is not waited for any more."""
        self._database = database
        self._outbox = outbox
        self._settle = settle
        self._gateway_gone = gateway_gone

    async def run_once(self) -> set[UUID]:
        """Settle what can be settled; returns the channels in which messages wait again."""
        receipt, channels = await self._database.retrying(self._run_once)
        self._outbox.send_soon(receipt)
        return channels

    async def _run_once(self) -> tuple[Receipt, set[UUID]]:
        async with self._database.worker() as connection:
            found = await connection.fetch(_UNSETTLED, self._settle, _MOST, self._gateway_gone, RETRIED, _ATTEMPTS)
            if not found:
                return await self._outbox.add(connection, []), set()
            again = [row["id"] for row in found if row["policy"] == "resend"]
            doubtful = [row["id"] for row in found if row["policy"] != "resend"]
            await connection.execute(_MARK, [row["id"] for row in found])
            channels = {row["channel_id"] for row in await connection.fetch(_RESEND, again)} if again else set()
            receipt = await doubt(connection, self._outbox, doubtful)
        return receipt, channels
