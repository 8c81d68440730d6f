"""Messages and the change feed over HTTP."""

from typing import Annotated
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_chassis.database import Database
from blazz_contracts.views.change import Changes
from blazz_contracts.views.message import CheckedMessage, CheckMessage, MessageView
from fastapi import APIRouter, Query

from blazz_chat import checking, feed, reading
from blazz_chat.templates import Templates


def router(database: Database, templates: Templates) -> APIRouter:
    """Routes under `/internal/messages` and `/internal/changes`."""
    routes = APIRouter(prefix="/internal")

    @routes.post("/messages/check")
    async def check(context: InternalContext, asked: CheckMessage) -> CheckedMessage:
        """Whether this may be sent."""
        async with database.api(context.workspace_id) as connection:
            return await checking.check(connection, context.workspace_id, asked, templates)

    @routes.get("/messages/{message_id}")
    async def get(context: InternalContext, message_id: UUID) -> MessageView:
        """One message with its attempts."""
        async with database.api(context.workspace_id) as connection:
            return await reading.message(connection, context.workspace_id, message_id)

    @routes.get("/changes")
    async def changes(
        context: InternalContext,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Changes:
        """Changes after a cursor, oldest first."""
        async with database.api(context.workspace_id) as connection:
            return await feed.read(connection, context.workspace_id, after=after, limit=limit)

    return routes
