"""Who belongs to the workspace."""

from typing import Annotated
from uuid import UUID

from blazz_contracts.event import Contract
from blazz_contracts.views.page import Page
from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from blazz_gateway import storable
from blazz_gateway.access import Access
from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.api.invitations import InvitationView
from blazz_gateway.joining import Joining
from blazz_gateway.role import Permission, Role


class InviteMember(Asked):
    """Somebody who shall join: they do when they accept."""

    email: str = Field(min_length=3, max_length=254)
    role: Role


class ChangeMember(Asked):
    """Another role."""

    role: Role


class MemberView(Contract):
    """A member."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: AwareDatetime = Field(description="When they joined.")


class MemberInvited(InvitationView):
    """An invitation that was just made, with its token: nobody can show it again. Hand it to the person yourself."""

    token: str


def router(door: Door, access: Access, joining: Joining) -> APIRouter:
    """Routes under `/api/v1/members`."""
    routes = APIRouter(prefix="/api/v1/members", tags=["members"])
    Admin = Annotated[Actor, door.allow(Permission.MEMBERS_WRITE)]  # noqa: N806 - a type

    @routes.get("")
    async def find(actor: Admin) -> Page[MemberView]:
        """The members, oldest first."""
        items = [
            MemberView(id=each.id, email=each.email, name=each.name, role=each.role, created_at=each.created_at)
            for each in await access.members(actor)
        ]
        return Page[MemberView](items=items)

    @routes.post("", status_code=201)
    async def invite(actor: Admin, asked: InviteMember, response: Response) -> MemberInvited:
        """Invite somebody; an earlier invitation of the same address is void then."""
        storable.check(asked)
        made, text = await joining.invite(actor, email=asked.email, role=asked.role)
        response.headers["Cache-Control"] = "no-store"
        return MemberInvited(
            id=made.id,
            email=made.email,
            role=made.role,
            created_at=made.created_at,
            expires_at=made.expires_at,
            token=text,
        )

    @routes.patch("/{user_id}", status_code=204)
    async def change(actor: Admin, user_id: UUID, asked: ChangeMember) -> Response:
        """Give a member another role."""
        await access.change_member(actor, user_id, asked.role)
        return Response(status_code=204)

    @routes.delete("/{user_id}", status_code=204)
    async def remove(actor: Admin, user_id: UUID) -> Response:
        """Put a member out; their websockets of this workspace are closed."""
        await access.change_member(actor, user_id, None)
        return Response(status_code=204)

    return routes
