"""Who belongs to the workspace."""

from typing import Annotated
from uuid import UUID

from blazz_contracts.event import Contract
from blazz_contracts.views.page import Page
from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, SecretStr

from blazz_gateway import storable
from blazz_gateway.access import Access
from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.role import Permission, Role


class AddMember(Asked):
    """Somebody who joins. Whoever has a login already keeps their name and password."""

    email: str = Field(min_length=3, max_length=254)
    name: str = Field(default="", max_length=200)
    password: SecretStr = Field(min_length=8, max_length=256, description="Their first one, where they have no login.")
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


class MemberAdded(Contract):
    """Who joined."""

    id: UUID


def router(door: Door, access: Access) -> APIRouter:
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
    async def add(actor: Admin, asked: AddMember) -> MemberAdded:
        """Make somebody a member."""
        storable.check(asked)
        added = await access.add_member(
            actor,
            email=asked.email,
            name=asked.name,
            password_text=asked.password.get_secret_value(),
            role=asked.role,
        )
        return MemberAdded(id=added)

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
