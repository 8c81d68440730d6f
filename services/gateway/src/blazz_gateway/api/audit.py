"""The audit log."""

from typing import Annotated, Any
from uuid import UUID

from blazz_contracts.event import Contract
from blazz_contracts.views.page import Page
from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from blazz_gateway import storable
from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.audit import AuditLog
from blazz_gateway.role import Permission


class AuditView(Contract):
    """Somebody did something."""

    id: UUID
    action: str
    actor_kind: str
    actor_id: UUID | None
    target_kind: str
    target_id: str
    data: dict[str, Any]
    at: AwareDatetime


def router(door: Door, log: AuditLog) -> APIRouter:
    """Routes under `/api/v1/audit`."""
    routes = APIRouter(prefix="/api/v1/audit", tags=["audit"])

    @routes.get("")
    async def find(
        actor: Annotated[Actor, door.allow(Permission.AUDIT_READ)],
        action: Annotated[str | None, Query(max_length=128)] = None,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Page[AuditView]:
        """Who did what in this workspace, newest first."""
        storable.check(action, "action")
        entries, more = await log.page(actor.workspace_id, before=cursor, action=action, limit=limit)
        items = [
            AuditView(
                id=each.id,
                action=each.action,
                actor_kind=each.actor_kind,
                actor_id=each.actor_id,
                target_kind=each.target_kind,
                target_id=each.target_id,
                data=each.data,
                at=each.at,
            )
            for each in entries
        ]
        return Page[AuditView](items=items, next=str(more) if more else None)

    return routes
