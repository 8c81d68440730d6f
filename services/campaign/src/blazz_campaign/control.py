"""Start, pause, resume, cancel: what people do to campaigns. Doing it twice is doing it once."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import Conflict
from blazz_chassis.outbox import Outbox, Receipt
from blazz_contracts.events import AuditRecorded
from blazz_contracts.views.campaign import CampaignView

from blazz_campaign import audit, lists, recipients, row
from blazz_campaign.channels import Channels
from blazz_campaign.row import Campaign
from blazz_campaign.state import FINAL, RUNNING

_Change = Callable[[Connection, Campaign], Awaitable[None]]


class Control:
    """What people may do."""

    def __init__(self, database: Database, outbox: Outbox, channels: Channels, look: Callable[[], None]) -> None:
        """`look`: there may be something to send."""
        self._database, self._outbox, self._channels, self._look = database, outbox, channels, look

    async def start(self, context: WorkspaceContext, campaign_id: UUID) -> CampaignView:
        """Send a draft."""
        await self._require_channel(context, campaign_id)

        async def change(_connection: Connection, campaign: Campaign) -> None:
            if campaign.state == "paused":
                raise _refused(campaign, "started: it is paused, resume it")
            if campaign.state in FINAL:
                raise _refused(campaign, f"started: it is {campaign.state}")
            if campaign.state not in RUNNING:
                _go(campaign)

        return await self._change(context, campaign_id, "campaign.started", change)

    async def pause(self, context: WorkspaceContext, campaign_id: UUID) -> CampaignView:
        """Stop handing over; what was handed over goes on."""

        async def change(_connection: Connection, campaign: Campaign) -> None:
            if campaign.state in RUNNING:
                campaign.to("paused", "Paused by hand.")
            elif campaign.state != "paused":
                raise _refused(campaign, f"paused: it is {_spoken(campaign)}")

        return await self._change(context, campaign_id, "campaign.paused", change)

    async def resume(self, context: WorkspaceContext, campaign_id: UUID) -> CampaignView:
        """Go on after a pause."""
        await self._require_channel(context, campaign_id)

        async def change(_connection: Connection, campaign: Campaign) -> None:
            if campaign.state == "paused":
                _go(campaign)
            elif campaign.state not in RUNNING:
                raise _refused(campaign, f"resumed: it is {_spoken(campaign)}")

        return await self._change(context, campaign_id, "campaign.resumed", change)

    async def cancel(self, context: WorkspaceContext, campaign_id: UUID) -> CampaignView:
        """End it: who is still queued gets nothing."""

        async def change(connection: Connection, campaign: Campaign) -> None:
            if campaign.state == "cancelled":
                return
            if campaign.state in FINAL:
                raise _refused(campaign, f"cancelled: it is {campaign.state}")
            await recipients.cancel_queued(connection, campaign)
            await lists.forget(connection, campaign.id)
            campaign.to("cancelled", "Cancelled by hand.")

        return await self._change(context, campaign_id, "campaign.cancelled", change)

    async def _require_channel(self, context: WorkspaceContext, campaign_id: UUID) -> None:
        async with self._database.api(context.workspace_id) as connection:
            channel_id = await row.channel_of(connection, context.workspace_id, campaign_id)
        await self._channels.require(context, channel_id)

    async def _change(self, context: WorkspaceContext, campaign_id: UUID, action: str, change: _Change) -> CampaignView:
        async def transaction() -> tuple[Campaign, Receipt]:
            async with self._database.api(context.workspace_id) as connection:
                campaign = await row.lock_own(connection, context.workspace_id, campaign_id)
                await change(connection, campaign)
                campaign.settle()
                also: list[AuditRecorded] = []
                if campaign.turned:
                    data = {"name": campaign.name, "state": campaign.state, "before": campaign.before}
                    also.append(audit.recorded(context, action, campaign_id, data))
                return campaign, await row.save(connection, self._outbox, [campaign], also=also)

        campaign, receipt = await self._database.retrying(transaction)
        await self._outbox.send(receipt)
        self._look()
        return campaign.view()


def _go(campaign: Campaign) -> None:
    campaign.to("sending" if campaign.frozen_at is not None else "freezing")


def _refused(campaign: Campaign, what: str) -> Conflict:
    return Conflict(f"this campaign cannot be {what}", code=f"campaign_{campaign.state}")


def _spoken(campaign: Campaign) -> str:
    return "a draft" if campaign.state == "draft" else campaign.state
