"""Templates over HTTP."""

from typing import Annotated
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_contracts.complaint import LANGUAGE
from blazz_contracts.views.page import Page
from blazz_contracts.views.template import PutTemplate, SyncedTemplates, SyncTemplates, TemplateView
from fastapi import APIRouter, Path, Query, Response

from blazz_chat.template_book import TemplateBook

Name = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,512}$")]
Language = Annotated[str, Path(pattern=r"^[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8}){0,2}$", max_length=16), LANGUAGE]


def router(book: TemplateBook) -> APIRouter:
    """Routes under `/internal/templates`."""
    routes = APIRouter(prefix="/internal/templates")

    @routes.post("/sync")
    async def sync(context: InternalContext, asked: SyncTemplates) -> SyncedTemplates:
        """Take over what Meta has."""
        return await book.sync(context, asked.channel_id)

    @routes.get("")
    async def find(
        context: InternalContext,
        name: Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,512}$")] = None,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Page[TemplateView]:
        """Templates of the workspace."""
        return await book.list(context.workspace_id, name=name, cursor=cursor, limit=limit)

    @routes.get("/{name}/{language}")
    async def get(context: InternalContext, name: Name, language: Language) -> TemplateView:
        """The template that WhatsApp Web would send."""
        return await book.get(context.workspace_id, name, language)

    @routes.put("/{name}/{language}")
    async def put(
        context: InternalContext, name: Name, language: Language, asked: PutTemplate, response: Response
    ) -> TemplateView:
        """Write one of the workspace's own (201 when it is new)."""
        written, new = await book.put(context, name, language, asked)
        response.status_code = 201 if new else 200
        return written

    @routes.delete("/{name}/{language}", status_code=204)
    async def delete(context: InternalContext, name: Name, language: Language) -> Response:
        """Delete one of the workspace's own."""
        await book.delete(context, name, language)
        return Response(status_code=204)

    return routes
