"""From a bearer token or a cookie to who it is; what was looked up is believed for `auth_cache_seconds`, at most 2."""

from datetime import UTC, datetime
from uuid import UUID

from blazz_chassis.database import Database

from blazz_gateway import secret, session, token
from blazz_gateway.actor import Actor
from blazz_gateway.cache import Cache
from blazz_gateway.errors import CredentialInvalid, CsrfMissing, ForeignWorkspace, WorkspaceUnnamed
from blazz_gateway.session import LiveSession, Sessions
from blazz_gateway.token import ApiToken

_LONGEST = 4096  # characters; ours have at most about 400
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticator:
    """Knows who shows a credential."""

    def __init__(self, database: Database, sessions: Sessions, *, cache_seconds: float, user_rate: int) -> None:
        self._database, self._sessions, self._user_rate = database, sessions, user_rate
        self._tokens: Cache[bytes, ApiToken] = Cache(self._load_token, seconds=cache_seconds)
        self._live: Cache[UUID, LiveSession] = Cache(self._load_session, seconds=cache_seconds)

    async def of_bearer(self, bearer: str) -> ApiToken | LiveSession:
        """Whose API token or access token this is. Raises `CredentialInvalid`."""
        if not bearer.startswith(token.PREFIX):
            return await self._of_access_token(bearer)
        found = await self._tokens.get(secret.digest(bearer))
        if found is None or (found.expires_at is not None and found.expires_at <= datetime.now(UTC)):
            raise CredentialInvalid
        return found

    async def of_cookie(
        self, cookie: str, *, method: str, csrf_cookie: str | None, csrf_header: str | None
    ) -> LiveSession:
        """Whose access token a browser shows. Raises `CredentialInvalid`, and `CsrfMissing` for unsafe methods."""
        found = await self._of_access_token(cookie)
        # The browser adds the cookie whoever asks; only our own page can read the token and say it.
        if method not in SAFE_METHODS and not self._sessions.csrf_matches(found.id, csrf_cookie, csrf_header):
            raise CsrfMissing
        return found

    async def _of_access_token(self, access_token: str) -> LiveSession:
        if len(access_token) > _LONGEST:
            raise CredentialInvalid
        found = await self._live.get(self._sessions.session_of(access_token))
        if found is None:
            raise CredentialInvalid
        return found

    def actor(self, who: ApiToken | LiveSession, workspace_id: UUID | None) -> Actor:
        """Return who acts in which workspace: the one named, else the only one.

        Raises `ForeignWorkspace`, and `WorkspaceUnnamed` when several are possible.
        """
        if isinstance(who, ApiToken):
            if workspace_id not in (None, who.workspace_id):
                raise ForeignWorkspace
            return Actor(
                kind="token",
                id=who.id,
                workspace_id=who.workspace_id,
                scopes=who.scopes,
                name=who.name,
                rate_per_minute=who.rate_per_minute,
            )
        if workspace_id is None:
            if len(who.memberships) > 1:
                raise WorkspaceUnnamed
            if not who.memberships:
                raise ForeignWorkspace("you belong to no workspace; ask an owner to invite you")
            membership = who.memberships[0]
        else:
            found = next((each for each in who.memberships if each.workspace_id == workspace_id), None)
            if found is None:
                raise ForeignWorkspace
            membership = found
        return Actor(
            kind="user",
            id=who.user_id,
            workspace_id=membership.workspace_id,
            role=membership.role,
            session_id=who.id,
            name=who.name or who.email,
            rate_per_minute=self._user_rate,
        )

    def forget(self) -> None:
        """Look every credential up again: some access ended, or began."""
        self._tokens.clear()
        self._live.clear()

    async def _load_token(self, digest: bytes) -> ApiToken | None:
        async with self._database.worker() as connection:
            return await token.by_text(connection, digest)

    async def _load_session(self, session_id: UUID) -> LiveSession | None:
        async with self._database.worker() as connection:
            return await session.live(connection, session_id)
