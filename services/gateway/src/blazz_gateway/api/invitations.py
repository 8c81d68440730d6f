"""Invitations: open ones, and accepting one."""

from typing import Annotated
from uuid import UUID

from blazz_chassis.errors import Forbidden, Unauthorized
from blazz_contracts.event import Contract
from blazz_contracts.views.page import Page
from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field, SecretStr

from blazz_gateway import storable
from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.joining import Joining
from blazz_gateway.role import Permission, Role
from blazz_gateway.session import LiveSession


class Accept(Asked):
    """The invitation's token; and a password, unless one is logged in.

    Who has no login yet chooses theirs; who has one gives the right one.
    """

    token: SecretStr = Field(min_length=1, max_length=1024)
    password: SecretStr | None = Field(default=None, min_length=1, max_length=1024)
    name: str = Field(default="", max_length=200, description="Of somebody who has no login yet.")


class InvitationView(Contract):
    """Somebody who may join, and has not yet."""

    id: UUID
    email: str
    role: Role
    created_at: AwareDatetime
    expires_at: AwareDatetime


class Joined(Contract):
    """Where one belongs now."""

    user_id: UUID
    workspace_id: UUID
    role: Role


def router(door: Door, joining: Joining) -> APIRouter:
    """Routes under `/api/v1/invitations`."""
    routes = APIRouter(prefix="/api/v1/invitations", tags=["members"])
    Admin = Annotated[Actor, door.allow(Permission.MEMBERS_WRITE)]  # noqa: N806 - a type

    @routes.get("")
    async def find(actor: Admin) -> Page[InvitationView]:
        """The invitations that can still be accepted, oldest first."""
        items = [
            InvitationView(
                id=each.id, email=each.email, role=each.role, created_at=each.created_at, expires_at=each.expires_at
            )
            for each in await joining.invitations(actor)
        ]
        return Page[InvitationView](items=items)

    @routes.delete("/{invitation_id}", status_code=204)
    async def withdraw(actor: Admin, invitation_id: UUID) -> Response:
        """Make an invitation void."""
        await joining.withdraw(actor, invitation_id)
        return Response(status_code=204)

    @routes.post("/accept", openapi_extra={"security": [{}, {"bearer": []}, {"cookie": []}]})
    async def accept(asked: Accept, request: Request) -> Joined:
        """Join the workspace that one was invited to."""
        token = asked.token.get_secret_value()
        password = asked.password.get_secret_value() if asked.password is not None else None
        for field, value in (("token", token), ("password", password), ("name", asked.name)):
            storable.check(value, field)

        async def session() -> LiveSession | None:
            try:
                who = await door.identify(request)
            except Unauthorized:
                return None
            if not isinstance(who, LiveSession):
                raise Forbidden("an API token joins nothing; log in")
            return who

        joined = await joining.accept(
            token, password_text=password, name=asked.name, address=door.address(request), session=session
        )
        return Joined(user_id=joined.user_id, workspace_id=joined.workspace_id, role=joined.role)

    return routes
