"""How the credentials of a session reach a client: in the answer, or in cookies."""

from typing import Literal
from uuid import UUID

from blazz_contracts.event import Contract
from fastapi import Response
from pydantic import Field

from blazz_gateway.api.door import CSRF_COOKIE, Door
from blazz_gateway.session import Credentials

REFRESH_PATH = "/api/v1/auth"


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
            path=REFRESH_PATH,
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
            (self._door.refresh_cookie, REFRESH_PATH),
            (CSRF_COOKIE, "/"),
        ):
            response.delete_cookie(name, path=path, secure=self._door.secure, samesite="lax")
