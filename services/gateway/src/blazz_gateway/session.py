"""Logins: a session in the database, short access tokens that name it, refresh tokens that are good for one use."""

import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import jwt
from blazz_chassis.database import Connection
from blazz_chassis.ids import uuid7
from pydantic import SecretStr

from blazz_gateway import secret
from blazz_gateway.errors import CredentialInvalid
from blazz_gateway.role import Role
from blazz_gateway.user import Membership

REFRESH_PREFIX = "blr_"
_ISSUER = "blazz-gateway"
_LEEWAY = 5  # seconds that the clocks of two instances may differ

_START = "insert into sessions (id, user_id, expires_at) values ($1, $2, now() + $3)"
_ADD_REFRESH = "insert into refresh_tokens (hash, session_id) values ($1, $2)"
# `used_at is null` makes two requests with the same token race for one row: one of them comes second.
_USE = """
update refresh_tokens r set used_at = now() from sessions s
where r.hash = $1 and r.used_at is null and s.id = r.session_id and s.ended_at is null and s.expires_at > now()
returning s.id, s.user_id
"""
_USED = """
select s.id, s.user_id from refresh_tokens r join sessions s on s.id = r.session_id
where r.hash = $1 and r.used_at is not null and s.ended_at is null
"""
_EXTEND = "update sessions set expires_at = now() + $2 where id = $1"
_END = "update sessions set ended_at = now(), ended_reason = $2 where id = $1 and ended_at is null returning user_id"
_LIVE = """
select s.id, s.user_id, u.email, u.name, m.workspace_id, m.role, w.display_name
from sessions s join users u on u.id = s.user_id
left join memberships m on m.user_id = u.id left join workspaces w on w.id = m.workspace_id
where s.id = $1 and s.ended_at is null and s.expires_at > now()
order by m.created_at, m.workspace_id
"""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that is valid now, with whose it is and what they may."""

    id: UUID
    user_id: UUID
    email: str
    name: str
    memberships: tuple[Membership, ...]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client gets at login and refresh."""

    session_id: UUID
    user_id: UUID
    access_token: str
    refresh_token: str
    csrf_token: str
    expires_in: int
    """Seconds the access token lives."""


@dataclass(frozen=True, slots=True)
class Reused:
    """A refresh token was shown again: one of the two who had it stole it."""

    session_id: UUID


class Sessions:
    """Starts, refreshes and ends sessions. Works in the caller's transactions."""

    def __init__(self, key: SecretStr, *, access_seconds: int, lifetime: timedelta) -> None:
        # An empty key is refused when the service starts; documents are printed without one.
        self._access_key = secret.derived(key, "access token")
        self._csrf_key = secret.derived(key, "csrf")
        self._access_seconds, self._lifetime = access_seconds, lifetime

    async def start(self, connection: Connection, user_id: UUID) -> Credentials:
        """Begin a session of this user."""
        session_id = uuid7()
        await connection.execute(_START, session_id, user_id, self._lifetime)
        return await self._issue(connection, session_id, user_id)

    async def refresh(self, connection: Connection, refresh_token: str) -> Credentials | Reused:
        """Use up a refresh token for new credentials.

        `Reused` when it was used before: the session is ended then, and the caller's transaction must commit that.
        Raises `CredentialInvalid` when nobody knows it, or its session is over.
        """
        digest = secret.digest(refresh_token)
        row = await connection.fetchrow(_USE, digest)
        if row is None:
            row = await connection.fetchrow(_USED, digest)
            if row is None:
                raise CredentialInvalid
            await self.end(connection, row["id"], "refresh token reused")
            return Reused(row["id"])
        await connection.execute(_EXTEND, row["id"], self._lifetime)
        return await self._issue(connection, row["id"], row["user_id"])

    async def end(self, connection: Connection, session_id: UUID, reason: str) -> bool:
        """End a session; False when it was over."""
        return await connection.fetchrow(_END, session_id, reason) is not None

    async def _issue(self, connection: Connection, session_id: UUID, user_id: UUID) -> Credentials:
        refresh_token = secret.new(REFRESH_PREFIX)
        await connection.execute(_ADD_REFRESH, secret.digest(refresh_token), session_id)
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": now,
            "exp": now + self._access_seconds,
        }
        return Credentials(
            session_id=session_id,
            user_id=user_id,
            access_token=jwt.encode(claims, self._access_key, algorithm="HS256"),
            refresh_token=refresh_token,
            csrf_token=self.csrf_token(session_id),
            expires_in=self._access_seconds,
        )

    def session_of(self, access_token: str) -> UUID:
        """The session that an access token names; raise `CredentialInvalid` when it is none of ours, or expired."""
        try:
            claims = jwt.decode(
                access_token,
                self._access_key,
                algorithms=["HS256"],
                issuer=_ISSUER,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "sub", "sid"]},
            )
            return UUID(claims["sid"])
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            raise CredentialInvalid from error

    def csrf_token(self, session_id: UUID) -> str:
        """The session's CSRF token: bound to it, so that a cookie planted from a sibling domain is no use."""
        return hmac.new(self._csrf_key, session_id.bytes, sha256).hexdigest()

    def csrf_matches(self, session_id: UUID, cookie: str | None, header: str | None) -> bool:
        """Whether the header shows the session's token, and the cookie the same."""
        expected = self.csrf_token(session_id).encode()
        given = [(each or "").encode() for each in (cookie, header)]
        return all(hmac.compare_digest(each, expected) for each in given)


async def live(connection: Connection, session_id: UUID) -> LiveSession | None:
    """The session with its user and memberships, or None when it is over."""
    rows = await connection.fetch(_LIVE, session_id)
    if not rows:
        return None
    return LiveSession(
        id=session_id,
        user_id=rows[0]["user_id"],
        email=rows[0]["email"],
        name=rows[0]["name"],
        memberships=tuple(
            Membership(row["workspace_id"], Role(row["role"]), row["display_name"])
            for row in rows
            if row["workspace_id"] is not None
        ),
    )
