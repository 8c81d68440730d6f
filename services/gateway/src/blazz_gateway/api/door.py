"""Who asks: from the request's headers and cookies to an `Actor` with a right."""

from typing import Any, TypeVar
from uuid import UUID

from blazz_chassis import client_address
from blazz_chassis.errors import Invalid, Unauthorized
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from blazz_gateway.actor import Actor
from blazz_gateway.authentication import Authenticator
from blazz_gateway.role import Permission
from blazz_gateway.session import LiveSession
from blazz_gateway.token import ApiToken

M = TypeVar("M", bound=BaseModel)

CSRF_COOKIE = "XSRF-TOKEN"
CSRF_HEADERS = ("x-xsrf-token", "x-csrf-token")
"""axios sends the first by itself (with the cookie above), laravel-echo the second."""
WORKSPACE_HEADER = "x-workspace-id"


class Door:
    """Lets requests in."""

    def __init__(self, authenticator: Authenticator, *, production: bool, trusted_proxies: int) -> None:
        self._authenticator, self._proxies = authenticator, trusted_proxies
        self.secure = production
        # `__Host-`: the browser takes it from this host alone, over TLS, for the whole of it (RFC 6265bis).
        self.access_cookie = "__Host-blazz-access" if production else "blazz-access"
        self.refresh_cookie = "__Secure-blazz-refresh" if production else "blazz-refresh"

    async def identify(self, request: Request) -> ApiToken | LiveSession:
        """The token or the session. Raises `Unauthorized`, `CredentialInvalid`, `CsrfMissing`."""
        bearer = _bearer(request)
        if bearer is not None:
            return await self._authenticator.of_bearer(bearer)
        cookie = request.cookies.get(self.access_cookie)
        if not cookie:
            raise Unauthorized("log in, or send a token as `Authorization: Bearer …`")
        return await self._authenticator.of_cookie(
            cookie,
            method=request.method,
            csrf_cookie=request.cookies.get(CSRF_COOKIE),
            csrf_header=csrf_header(request),
        )

    async def enter(self, request: Request, workspace_id: UUID | None = None) -> Actor:
        """Who acts in which workspace: this one, else the header's, else the only one."""
        return self._authenticator.actor(await self.identify(request), workspace_id or _named_workspace(request))

    def allow(self, permission: Permission) -> Any:
        """A dependency: the actor, who has this right."""

        async def entered(request: Request) -> Actor:
            actor = await self.enter(request)
            actor.require(permission)
            return actor

        return Depends(entered)

    def forget(self) -> None:
        """Some access ended: look every credential up again."""
        self._authenticator.forget()

    def address(self, request: Request) -> str:
        """The client's address: the peer's, or what the last trusted proxy saw."""
        peer = request.client.host if request.client else None
        return client_address.of(peer, request.headers.getlist("x-forwarded-for"), proxies=self._proxies)


def csrf_header(request: Request) -> str | None:
    """The CSRF token that a page of ours said."""
    return next((value for name in CSRF_HEADERS if (value := request.headers.get(name))), None)


def read_as(model: type[M], value: Any) -> M:
    """Return the model of a body that FastAPI did not parse; raise what FastAPI raises."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _bearer(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthorized("send the token as `Authorization: Bearer …`")
    return credential.strip()


def _named_workspace(request: Request) -> UUID | None:
    named = request.headers.get(WORKSPACE_HEADER)
    if not named:
        return None
    try:
        return UUID(named)
    except ValueError:
        raise Invalid("is a UUID", field="X-Workspace-Id") from None
