"""Becoming a member: somebody who may invites, and the invited person joins with a login that is theirs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from blazz_chassis.database import Database
from blazz_chassis.errors import Invalid

from blazz_gateway import audit, invitation, password, secret, user, workspace
from blazz_gateway.actor import Actor
from blazz_gateway.authentication import Authenticator
from blazz_gateway.errors import InvitationForeign, InvitationInvalid, LoginNeeded
from blazz_gateway.invitation import Invitation
from blazz_gateway.login import Logins
from blazz_gateway.role import Role
from blazz_gateway.session import LiveSession


@dataclass(frozen=True, slots=True)
class Joined:
    """Who belongs to which workspace now."""

    user_id: UUID
    workspace_id: UUID
    role: Role


class Joining:
    """Invitations, and what becomes of them."""

    def __init__(self, database: Database, logins: Logins, authenticator: Authenticator) -> None:
        self._database, self._logins, self._authenticator = database, logins, authenticator

    async def invite(self, actor: Actor, *, email: str, role: Role) -> tuple[Invitation, str]:
        """Invite somebody; return the invitation and its token, which is shown this once.

        The same whether they have a login or not: who invites learns nothing of it. Raises `Invalid` for the e-mail,
        `Forbidden` when the role is above the actor's, `Conflict` for a member.
        """
        actor.require_rank(role)
        plain = user.normal_email(email)
        async with self._database.worker() as connection:
            made, text = await invitation.invite(
                connection, actor.workspace_id, email=plain, role=role, invited_by=actor.id
            )
            await audit.did(connection, actor, "member.invited", "invitation", made.id, {"email": plain, "role": role})
        return made, text

    async def invitations(self, actor: Actor) -> list[Invitation]:
        """Those of the workspace that can still be accepted, oldest first."""
        async with self._database.api(actor.workspace_id) as connection:
            return await invitation.open_ones(connection, actor.workspace_id)

    async def withdraw(self, actor: Actor, invitation_id: UUID) -> None:
        """Make an invitation void. Raises `NotFound`."""
        async with self._database.api(actor.workspace_id) as connection:
            await invitation.withdraw(connection, actor.workspace_id, invitation_id)
            await audit.did(connection, actor, "member.uninvited", "invitation", invitation_id, {})

    async def accept(
        self,
        token: str,
        *,
        password_text: str | None,
        name: str,
        address: str,
        session: Callable[[], Awaitable[LiveSession | None]],
    ) -> Joined:
        """Join. Somebody without a login gets one with this password; somebody with one proves that it is theirs.

        Raises `InvitationInvalid`, `Invalid` for the password, `InvalidCredentials`, `RateLimited`, `LoginNeeded`,
        `InvitationForeign`.
        """
        digest = secret.digest(token)
        async with self._database.worker() as connection:
            email = await invitation.email_of(connection, digest)
            person = await user.by_email(connection, email)
        hashed = None
        if person is None:
            if password_text is None:
                raise Invalid("choose a password: you have no login yet", field="password")
            password.check_strength(password_text)
            hashed = await password.hashed(password_text)
        elif password_text is not None:
            await self._logins.prove(email, password_text, address)
        else:
            live = await session()
            if live is None:
                raise LoginNeeded
            if live.user_id != person.id:
                raise InvitationForeign
        async with self._database.worker() as connection:
            used = await invitation.use(connection, digest)
            if hashed is not None:
                # Another invitation made their login in this moment, with another password perhaps: they prove it then.
                person = await user.add(connection, email=email, name=name, password_hash=hashed)
                if person is None:
                    raise LoginNeeded
            if person is None:
                raise InvitationInvalid
            if await workspace.join(connection, used.workspace_id, person.id, used.role):
                await audit.note(
                    connection,
                    used.workspace_id,
                    action="member.added",
                    actor_kind="user",
                    actor_id=person.id,
                    target_kind="user",
                    target_id=str(person.id),
                    data={"role": used.role, "invited_by": str(used.invited_by)},
                )
        self._authenticator.forget()
        return Joined(person.id, used.workspace_id, used.role)
