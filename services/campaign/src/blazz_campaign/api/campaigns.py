"""Campaigns over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_chassis.database import Database
from blazz_contracts.views.campaign import CampaignView, CreateCampaign, RecipientView
from blazz_contracts.views.page import Page
from fastapi import APIRouter, Header, Query

from blazz_campaign import reading
from blazz_campaign.control import Control
from blazz_campaign.creating import Creating

Key = Annotated[
    str | None,
    Header(
        description="The same request under the same key is the same campaign.",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
    ),
]
State = Literal["queued", "requested", "unconfirmed", "sent", "delivered", "read", "played", "failed", "cancelled"]


def router(database: Database, creating: Creating, control: Control) -> APIRouter:
    """Routes under `/internal/campaigns`."""
    routes = APIRouter(prefix="/internal/campaigns")

    @routes.post("", status_code=202)
    async def create(context: InternalContext, asked: CreateCampaign, idempotency_key: Key = None) -> CampaignView:
        """A new campaign: stored; its list is frozen in the background, and the counts tell how far that is."""
        return await creating.create(context, asked, idempotency_key)

    @routes.get("")
    async def find(
        context: InternalContext, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> Page[CampaignView]:
        """Campaigns, newest first."""
        async with database.api(context.workspace_id) as connection:
            return await reading.campaigns(connection, context.workspace_id, cursor=cursor, limit=limit)

    @routes.get("/{campaign_id}")
    async def get(context: InternalContext, campaign_id: UUID) -> CampaignView:
        """One campaign and how far it is."""
        async with database.api(context.workspace_id) as connection:
            return await reading.campaign(connection, context.workspace_id, campaign_id)

    @routes.get("/{campaign_id}/recipients")
    async def recipients(
        context: InternalContext,
        campaign_id: UUID,
        state: State | None = None,
        cursor: Annotated[str | None, Query(max_length=20)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Page[RecipientView]:
        """Recipients in the order of the list; `state` shows only those in it."""
        async with database.api(context.workspace_id) as connection:
            return await reading.recipients(
                connection, context.workspace_id, campaign_id, state=state, cursor=cursor, limit=limit
            )

    @routes.post("/{campaign_id}/start")
    async def start(context: InternalContext, campaign_id: UUID) -> CampaignView:
        """Send a draft."""
        return await control.start(context, campaign_id)

    @routes.post("/{campaign_id}/pause")
    async def pause(context: InternalContext, campaign_id: UUID) -> CampaignView:
        """Stop handing over. What was handed over goes on."""
        return await control.pause(context, campaign_id)

    @routes.post("/{campaign_id}/resume")
    async def resume(context: InternalContext, campaign_id: UUID) -> CampaignView:
        """Go on after a pause."""
        return await control.resume(context, campaign_id)

    @routes.post("/{campaign_id}/cancel")
    async def cancel(context: InternalContext, campaign_id: UUID) -> CampaignView:
        """End it. Who is still queued gets nothing."""
        return await control.cancel(context, campaign_id)

    return routes
