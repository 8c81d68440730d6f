"""Contacts over HTTP."""

from typing import Annotated
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_contracts.views.contact import ContactView, CreateContact
from blazz_contracts.views.message import MessageView
from blazz_contracts.views.page import Page
from fastapi import APIRouter, Query, Response

from blazz_chat import reading
from blazz_chat.contacts import Contacts

Limit = Annotated[int, Query(ge=1, le=200)]


def router(contacts: Contacts) -> APIRouter:
    """Routes under `/internal/contacts`."""
    routes = APIRouter(prefix="/internal/contacts")
    database = contacts.database

    @routes.post("", status_code=201)
    async def create(context: InternalContext, asked: CreateContact, response: Response) -> ContactView:
        """A new contact, or the one that is there (200)."""
        contact, created = await contacts.create(context.workspace_id, asked)
        response.status_code = 201 if created else 200
        return contact

    @routes.get("")
    async def find(
        context: InternalContext,
        search: Annotated[str | None, Query(max_length=200)] = None,
        cursor: UUID | None = None,
        limit: Limit = 50,
    ) -> Page[ContactView]:
        """Contacts, most recent talk first."""
        async with database.api(context.workspace_id) as connection:
            return await reading.contacts(connection, context.workspace_id, search=search, cursor=cursor, limit=limit)

    @routes.get("/{contact_id}")
    async def get(context: InternalContext, contact_id: UUID) -> ContactView:
        """One contact."""
        async with database.api(context.workspace_id) as connection:
            return await reading.contact(connection, context.workspace_id, contact_id)

    @routes.get("/{contact_id}/messages")
    async def said(
        context: InternalContext,
        contact_id: UUID,
        cursor: Annotated[str | None, Query(max_length=40)] = None,
        limit: Limit = 50,
    ) -> Page[MessageView]:
        """What was said with a contact, newest first."""
        async with database.api(context.workspace_id) as connection:
            return await reading.messages(connection, context.workspace_id, contact_id, cursor=cursor, limit=limit)

    return routes
