"""What nobody else looks after: campaigns whose channel was stopped, lists given up, flights nobody will land."""

from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox

from blazz_campaign import channels, recipients, row
from blazz_campaign.channels import Channels, ChannelUnknown
from blazz_campaign.state import FINAL, STOPPERS

# Nothing has come of what was handed over: perhaps chat cannot send, either.
_STALLED = """
select id, workspace_id, channel_id from campaigns
where state = 'sending' and n_requested > 0 and moved_at < now() - make_interval(secs => $1) and id > $2
order by id limit $3
"""
_ASKED = 20  # campaigns whose channel is asked for in one round: chat may take its time limit over each
_FIRST = UUID(int=0)
# A campaign was ended while its sender, who has died since, was handing over.
_ADRIFT = """
select id from campaigns
where flight_to is not null and state in ('cancelled', 'failed') and (lease_until is null or lease_until < now())
"""


class Tending:
    """The rounds."""

    def __init__(self, database: Database, outbox: Outbox, asked: Channels, *, stall: float) -> None:
        """`stall`: seconds without a change after which the channel is asked for."""
        self._database, self._outbox, self._channels, self._stall = database, outbox, asked, stall
        self._after = _FIRST

    async def pause_stopped(self) -> None:
        """Pause campaigns that stand still because their channel is stopped or gone; some a round, all in turn."""
        async with self._database.worker() as connection:
            found = await connection.fetch(_STALLED, self._stall, self._after, _ASKED)
        self._after = found[-1]["id"] if len(found) == _ASKED else _FIRST
        for each in found:
            try:
                channel = await self._channels.find(
                    WorkspaceContext(workspace_id=each["workspace_id"]), each["channel_id"]
                )
            except ChannelUnknown:
                await self._pause(each["id"], STOPPERS["channel_not_found"])
            else:
                if channel is not None and channel.state == "stopped":
                    await self._pause(each["id"], channels.stopped(channel))

    async def _pause(self, campaign_id: UUID, reason: str) -> None:
        async with self._database.worker() as connection:
            campaign = (await row.lock(connection, [campaign_id])).get(campaign_id)
            if campaign is None or campaign.state != "sending":
                return
            campaign.to("paused", reason)
            receipt = await row.save(connection, self._outbox, [campaign])
        await self._outbox.send(receipt)

    async def land_adrift(self) -> None:
        """Cancel who was in flight when the sender of an ended campaign died; an outcome still tells the truth."""
        async with self._database.worker() as connection:
            found = await connection.fetch(_ADRIFT)
            locked = await row.lock(connection, [each["id"] for each in found])
            adrift = [each for each in locked.values() if each.state in FINAL and not each.leased and each.flight_to]
            for campaign in adrift:
                await recipients.cancel_queued(connection, campaign)
                campaign.lease_token = None
            receipt = await row.save(connection, self._outbox, adrift)
        await self._outbox.send(receipt)
