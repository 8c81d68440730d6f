"""The workspace itself."""

from typing import Annotated, Literal
from uuid import UUID

from blazz_contracts.event import Contract
from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from blazz_gateway import storable
from blazz_gateway.access import Access
from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.role import Permission
from blazz_gateway.workspace import Workspace


class ChangeWorkspace(Asked):
    """What is not named stays."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    unsettled: Literal["resend", "unconfirmed"] | None = Field(
        default=None, description="What to do with a send of which nobody can know whether it happened."
    )


class WorkspaceView(Contract):
    """A workspace."""

    id: UUID
    name: str
    unsettled: Literal["resend", "unconfirmed"]
    created_at: AwareDatetime


def router(door: Door, access: Access) -> APIRouter:
    """Routes under `/api/v1/workspace`."""
    routes = APIRouter(prefix="/api/v1/workspace", tags=["workspace"])
    Admin = Annotated[Actor, door.allow(Permission.WORKSPACE_WRITE)]  # noqa: N806 - a type

    @routes.get("")
    async def get(actor: Admin) -> WorkspaceView:
        """The workspace's settings."""
        return _view(await access.own_workspace(actor))

    @routes.patch("")
    async def change(actor: Admin, asked: ChangeWorkspace) -> WorkspaceView:
        """Change the workspace's settings."""
        storable.check(asked)
        return _view(await access.change_workspace(actor, name=asked.name, unsettled=asked.unsettled))

    return routes


def _view(workspace: Workspace) -> WorkspaceView:
    return WorkspaceView(
        id=workspace.id,
        name=workspace.display_name,
        unsettled=workspace.unsettled,
        created_at=workspace.created_at,
    )
