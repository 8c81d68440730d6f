"""Login, refresh, logout, and who one is."""

from typing import Annotated, Literal
from uuid import UUID

from blazz_chassis.errors import Forbidden
from blazz_contracts.event import Contract
from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter, Body, Request, Response
from pydantic import Field, SecretStr

from blazz_gateway import storable
from blazz_gateway.access import Access
from blazz_gateway.actor import Actor
from blazz_gateway.api.credentials import Cookies, LoggedIn
from blazz_gateway.api.door import CSRF_COOKIE, Door, csrf_header
from blazz_gateway.errors import CredentialInvalid, WorkspaceUnnamed
from blazz_gateway.login import Logins
from blazz_gateway.role import Permission, Role
from blazz_gateway.session import LiveSession
from blazz_gateway.token import ApiToken


class Login(Asked):
    """E-mail and password. `cookie` is for browsers: nothing that a script could read but the CSRF token."""

    email: str = Field(min_length=3, max_length=254, examples=["owner@example.com"])
    password: SecretStr = Field(min_length=1, max_length=1024)
    mode: Literal["bearer", "cookie"] = "bearer"


class Refresh(Asked):
    """The refresh token; without it, the cookie's."""

    refresh_token: SecretStr | None = Field(default=None, max_length=1024)


class WorkspaceOfMine(Contract):
    """A workspace one belongs to."""

    id: UUID
    name: str
    role: Role


class Me(Contract):
    """Who asks, in which workspace, with which rights."""

    kind: Literal["user", "token"]
    id: UUID
    name: str
    email: str | None = None
    workspace_id: UUID | None = Field(description="The one that this request acts in; none while it must be named.")
    role: Role | None = None
    permissions: list[Permission]
    workspaces: list[WorkspaceOfMine] = Field(default=[])


def router(door: Door, access: Access, logins: Logins, *, session_days: float) -> APIRouter:
    """Routes under `/api/v1/auth`, and `/api/v1/me`."""
    routes = APIRouter(prefix="/api/v1", tags=["login"])
    cookies = Cookies(door, session_seconds=round(session_days * 86_400))

    @routes.post("/auth/login", openapi_extra={"security": []})
    async def login(asked: Login, request: Request, response: Response) -> LoggedIn:
        """Log in with e-mail and password."""
        password = asked.password.get_secret_value()
        storable.check(asked.email, "email")
        storable.check(password, "password")
        credentials = await logins.login(asked.email, password, door.address(request))
        return cookies.answer(response, credentials, asked.mode)

    @routes.post("/auth/refresh", openapi_extra={"security": []})
    async def refresh(request: Request, response: Response, asked: Annotated[Refresh, Body()] = _NO_TOKEN) -> LoggedIn:
        """Get new credentials for a refresh token, which is used up by it."""
        given = asked.refresh_token
        if given is not None:
            storable.check(given.get_secret_value(), "refresh_token")
            return cookies.answer(response, await access.refresh(given.get_secret_value()), "bearer")
        text = request.cookies.get(door.refresh_cookie)
        if not text:
            raise CredentialInvalid("send a refresh token")
        csrf = (request.cookies.get(CSRF_COOKIE), csrf_header(request))
        return cookies.answer(response, await access.refresh(text, csrf=csrf), "cookie")

    @routes.post("/auth/logout", status_code=204)
    async def logout(request: Request) -> Response:
        """End the session and close its websockets."""
        who = await door.identify(request)
        if isinstance(who, ApiToken):
            raise Forbidden("an API token has no session; revoke it instead")
        await access.end_session(who.id, "logout")
        response = Response(status_code=204)
        cookies.clear(response)
        return response

    @routes.get("/me")
    async def me(request: Request) -> Me:
        """Who one is."""
        who = await door.identify(request)
        try:
            return _me(who, await door.enter(request))
        except WorkspaceUnnamed:
            assert isinstance(who, LiveSession)
            return _me(who, None)

    return routes


_NO_TOKEN = Refresh()


def _workspaces(who: LiveSession) -> list[WorkspaceOfMine]:
    return [WorkspaceOfMine(id=each.workspace_id, name=each.workspace_name, role=each.role) for each in who.memberships]


def _me(who: ApiToken | LiveSession, actor: Actor | None) -> Me:
    """`actor` None: the workspace must be named first."""
    person = who if isinstance(who, LiveSession) else None
    return Me(
        kind="user" if person is not None else "token",
        id=person.user_id if person is not None else who.id,
        name=actor.name if actor is not None else who.name,
        email=person.email if person is not None else None,
        workspace_id=actor.workspace_id if actor is not None else None,
        role=actor.role if actor is not None else None,
        permissions=sorted(actor.permissions) if actor is not None else [],
        workspaces=_workspaces(person) if person is not None else [],
    )
