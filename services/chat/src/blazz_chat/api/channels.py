"""Channels over HTTP."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_contracts.views.channel import AnyChannel, ChannelView, CreateWebChannel, UpdateChannel
from blazz_contracts.views.page import Page
from fastapi import APIRouter, Query, Response

from blazz_chat.notices import Notices
from blazz_chat.registry import Registry


def router(registry: Registry, notices: Notices, poke: Callable[[UUID], None]) -> APIRouter:
    """Routes under `/internal/channels` and `/internal/unrecognized`."""
    routes = APIRouter(prefix="/internal")

    @routes.post("/channels", status_code=201)
    async def create(context: InternalContext, asked: AnyChannel, response: Response) -> ChannelView:
        """Connect a number; a WhatsApp Web session's that is there already is given back (200)."""
        if not isinstance(asked, CreateWebChannel):
            return await registry.create(context, asked)
        made, new = await registry.create_web(context, asked)
        response.status_code = 201 if new else 200
        return made

    @routes.get("/channels")
    async def find(context: InternalContext) -> Page[ChannelView]:
        """All channels."""
        return Page[ChannelView](items=await registry.list(context.workspace_id))

    @routes.get("/channels/{channel_id}")
    async def get(context: InternalContext, channel_id: UUID) -> ChannelView:
        """One channel."""
        return await registry.get(context.workspace_id, channel_id)

    @routes.patch("/channels/{channel_id}")
    async def update(context: InternalContext, channel_id: UUID, asked: UpdateChannel) -> ChannelView:
        """Change a channel."""
        changed = await registry.update(context, channel_id, asked)
        poke(channel_id)
        return changed

    @routes.delete("/channels/{channel_id}", status_code=204)
    async def delete(context: InternalContext, channel_id: UUID) -> Response:
        """Disconnect a number."""
        await registry.delete(context, channel_id)
        return Response(status_code=204)

    @routes.get("/unrecognized")
    async def unrecognized(
        context: InternalContext, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> Page[dict[str, Any]]:
        """What the provider told that is no message and no status, newest first."""
        found = await notices.recent(context.workspace_id, before=cursor, limit=limit + 1)
        items = found[:limit]
        return Page[dict[str, Any]](items=items, next=str(items[-1]["id"]) if len(found) > limit else None)

    return routes
