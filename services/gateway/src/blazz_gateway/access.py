"""Access that begins and ends: sessions, API tokens, members; and the workspace itself.

What ends takes its websockets with it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox

from blazz_gateway import audit, rate, socket, token, workspace
from blazz_gateway.actor import Actor
from blazz_gateway.authentication import Authenticator
from blazz_gateway.errors import CsrfMissing, RateLimited, RefreshReused
from blazz_gateway.role import Permission, Role
from blazz_gateway.session import Credentials, Sessions
from blazz_gateway.socket_closing import SocketClosing
from blazz_gateway.token import ApiToken
from blazz_gateway.workspace import Workspace


class Access:
    """Changes to who may do what; each with its audit entry, in one transaction."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        sessions: Sessions,
        authenticator: Authenticator,
        closing: SocketClosing,
        *,
        socket_rate: int,
    ) -> None:
        """`socket_rate`: admissions of websockets that one credential may ask for in any 60 seconds."""
        self._database, self._outbox, self._closing = database, outbox, closing
        self._sessions, self._authenticator, self._socket_rate = sessions, authenticator, socket_rate

    # --- sessions

    async def refresh(self, refresh_token: str, *, csrf: tuple[str | None, str | None] | None = None) -> Credentials:
        """Use a refresh token up for new credentials. `csrf` (cookie, header) when it came in a cookie.

        Raises `CredentialInvalid`, `CsrfMissing`, `RefreshReused` (the session is over then).
        """
        async with self._database.worker() as connection:
            result = await self._sessions.refresh(connection, refresh_token)
            if isinstance(result, Credentials):
                # Raised inside the transaction: a page that is not ours does not use the token up.
                if csrf is not None and not self._sessions.csrf_matches(result.session_id, *csrf):
                    raise CsrfMissing
                return result
            end_id = await socket.ended(connection, result.session_id, "refresh token reused")
        self._authenticator.forget()
        await self._closing.close(end_id)
        raise RefreshReused

    async def end_session(self, session_id: UUID, reason: str) -> None:
        """Log out."""
        async with self._database.worker() as connection:
            await self._sessions.end(connection, session_id, reason)
            end_id = await socket.ended(connection, session_id, reason)
        self._authenticator.forget()
        await self._closing.close(end_id)

    # --- API tokens

    async def create_token(
        self,
        actor: Actor,
        *,
        name: str,
        scopes: Sequence[Permission],
        rate_per_minute: int | None,
        expires_at: datetime | None,
    ) -> tuple[ApiToken, str]:
        """Make a token of the actor's workspace; return it with its text, which is shown this once."""
        async with self._database.api(actor.workspace_id) as connection:
            made, text = await token.create(
                connection,
                workspace_id=actor.workspace_id,
                name=name,
                scopes=scopes,
                rate_per_minute=rate_per_minute,
                expires_at=expires_at,
                created_by=actor.id,
            )
            await audit.did(
                connection, actor, "token.created", "token", made.id, {"name": name, "scopes": sorted(made.scopes)}
            )
        return made, text

    async def tokens(self, actor: Actor) -> list[ApiToken]:
        """The workspace's tokens, newest first."""
        async with self._database.api(actor.workspace_id) as connection:
            return await token.of_workspace(connection, actor.workspace_id)

    async def revoke_token(self, actor: Actor, token_id: UUID) -> ApiToken:
        """End a token of the workspace and close its websockets. Raises `NotFound`."""
        async with self._database.api(actor.workspace_id) as connection:
            ended = await token.revoke(connection, actor.workspace_id, token_id)
            await audit.did(connection, actor, "token.revoked", "token", token_id, {"name": ended.name})
            end_id = await socket.ended(connection, token_id, "token revoked", workspace_id=actor.workspace_id)
        self._authenticator.forget()
        await self._closing.close(end_id)
        return ended

    # --- the workspace

    async def own_workspace(self, actor: Actor) -> Workspace:
        """The actor's workspace."""
        async with self._database.api(actor.workspace_id) as connection:
            return await workspace.get(connection, actor.workspace_id)

    async def change_workspace(
        self, actor: Actor, *, name: str | None, unsettled: workspace.Unsettled | None
    ) -> Workspace:
        """Change what is named of it, and tell the other services."""
        async with self._database.api(actor.workspace_id) as connection:
            event = await workspace.change(connection, actor.workspace_id, name=name, unsettled=unsettled)
            changed: dict[str, object] = {"name": event.display_name, "unsettled": event.unsettled}
            await audit.did(connection, actor, "workspace.changed", "workspace", actor.workspace_id, changed)
            receipt = await self._outbox.add(connection, [event])
            now = await workspace.get(connection, actor.workspace_id)
        self._authenticator.forget()
        await self._outbox.send(receipt)
        return now

    # --- members

    async def members(self, actor: Actor) -> list[workspace.Member]:
        """The workspace's members, oldest first."""
        async with self._database.worker() as connection:
            return await workspace.members(connection, actor.workspace_id)

    async def change_member(self, actor: Actor, user_id: UUID, role: Role | None) -> None:
        """Give a member another role, or none: then they are out. Their websockets are closed.

        Raises `NotFound`, `Conflict` for the last owner, `Forbidden` when a role is above the actor's.
        """
        if role is not None:
            actor.require_rank(role)
        async with self._database.worker() as connection:
            had = await workspace.change_role(connection, actor.workspace_id, user_id, role)
            actor.require_rank(had)
            action = "member.removed" if role is None else "member.role_changed"
            await audit.did(connection, actor, action, "user", user_id, {"was": had, "is": role})
            end_id = await socket.left(connection, user_id, actor.workspace_id, action)
        self._authenticator.forget()
        await self._closing.close(end_id)

    # --- websockets

    async def admit_socket(self, actor: Actor, socket_id: str) -> None:
        """Remember whose websocket it is.

        Raises `RateLimited`, and `CredentialInvalid` when their access has ended by now.
        """
        async with self._database.worker() as connection:
            subject = f"socket:{socket.credential_of(actor)}"
            (decision,) = await rate.take(connection, [(subject, self._socket_rate)])
            if not decision.allowed:
                raise RateLimited(decision, "too many admissions of websockets in the last minute; try again later")
            receipt = await self._outbox.add(connection, await socket.admit(connection, actor, socket_id))
        await self._outbox.send(receipt)
