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
from blazz_gateway.api.door import CSRF_COOKIE, Door, csrf_header
from blazz_gateway.errors import CredentialInvalid, WorkspaceUnnamed
from blazz_gateway.login import Logins
from blazz_gateway.role import Permission, Role
from blazz_gateway.session import Credentials, LiveSession
from blazz_gateway.token import ApiToken

_REFRESH_PATH = "/api/v1/auth"


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


class LoggedIn(Contract):
    """The credentials of a login. In cookie mode the tokens are in cookies alone."""

    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int = Field(description="Seconds the access token lives; refresh it before.")
    access_token: str | None = None
    refresh_token: str | None = None
    csrf_token: str | None = Field(default=None, description="For the X-XSRF-TOKEN header, in cookie mode.")
    user_id: UUID


class Cookies:
    """Hands credentials out: in the answer, or in cookies."""

    def __init__(self, door: Door, *, session_seconds: int) -> None:
        self._door, self._seconds = door, session_seconds

    def answer(self, response: Response, credentials: Credentials, mode: Literal["bearer", "cookie"]) -> LoggedIn:
        """What the client gets."""
        response.headers["Cache-Control"] = "no-store"
        if mode == "bearer":
            return LoggedIn(
                expires_in=credentials.expires_in,
                access_token=credentials.access_token,
                refresh_token=credentials.refresh_token,
                user_id=credentials.user_id,
            )
        access, secure = self._door.access_cookie, self._door.secure
        response.set_cookie(
            access, credentials.access_token, credentials.expires_in, secure=secure, httponly=True, samesite="lax"
        )
        response.set_cookie(
            self._door.refresh_cookie,
            credentials.refresh_token,
            self._seconds,
            path=_REFRESH_PATH,
            secure=secure,
            httponly=True,
            samesite="strict",
        )
        # Readable by our page, which proves with it that it is ours.
        response.set_cookie(CSRF_COOKIE, credentials.csrf_token, self._seconds, secure=secure, samesite="lax")
        return LoggedIn(
            expires_in=credentials.expires_in, csrf_token=credentials.csrf_token, user_id=credentials.user_id
        )

    def clear(self, response: Response) -> None:
        """Take the cookies back."""
        for name, path in (
            (self._door.access_cookie, "/"),
            (self._door.refresh_cookie, _REFRESH_PATH),
            (CSRF_COOKIE, "/"),
        ):
            response.delete_cookie(name, path=path, secure=self._door.secure, samesite="lax")


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
            actor = await door.enter(request)
        except WorkspaceUnnamed:
            assert isinstance(who, LiveSession)
            return Me(
                kind="user",
                id=who.user_id,
                name=who.name,
                email=who.email,
                workspace_id=None,
                permissions=[],
                workspaces=_workspaces(who),
            )
        return Me(
            kind=actor.kind,
            id=actor.id,
            name=actor.name,
            email=who.email if isinstance(who, LiveSession) else None,
            workspace_id=actor.workspace_id,
            role=actor.role,
            permissions=sorted(actor.permissions),
            workspaces=_workspaces(who) if isinstance(who, LiveSession) else [],
        )

    return routes


_NO_TOKEN = Refresh()


def _workspaces(who: LiveSession) -> list[WorkspaceOfMine]:
    return [WorkspaceOfMine(id=each.workspace_id, name=each.workspace_name, role=each.role) for each in who.memberships]
