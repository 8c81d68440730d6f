"""Invitations: how somebody becomes a member, by their own word.

A row is an invitation that nobody took up yet. Its token is shown once, to who invites, and stored as its hash.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Conflict, NotFound
from blazz_chassis.ids import uuid7

from blazz_gateway import secret
from blazz_gateway.errors import InvitationInvalid
from blazz_gateway.role import Role

PREFIX = "bli_"
LIFETIME = timedelta(days=7)
"""Long enough for a holiday week, short enough that a link in an old mail opens nothing."""
MOST = 1000
"""Open invitations of a workspace: more than a large team needs, and a bound on what one admin can store."""

_INVITE = """
insert into invitations (id, workspace_id, email, role, hash, invited_by, expires_at)
values ($1, $2, $3, $4, $5, $6, now() + $7)
on conflict (workspace_id, email) do update set id = excluded.id, role = excluded.role, hash = excluded.hash,
  invited_by = excluded.invited_by, created_at = now(), expires_at = excluded.expires_at
returning id, email, role, created_at, expires_at
"""
# What somebody promised is worth as much as their own right to do so is now.
_GOOD = """
i.expires_at > now() and exists (
  select 1 from memberships m where m.workspace_id = i.workspace_id and m.user_id = i.invited_by
  and (m.role = 'owner' or (m.role = 'admin' and i.role <> 'owner')))
"""
_OPEN = f"""
select i.id, i.email, i.role, i.created_at, i.expires_at from invitations i
where i.workspace_id = $1 and {_GOOD} order by i.created_at, i.id
"""  # noqa: S608 - constants
_COUNT = "select count(*) from invitations where workspace_id = $1"
_MEMBER = """
select 1 from memberships m join users u on u.id = m.user_id where m.workspace_id = $1 and u.email = $2
"""
_WITHDRAW = "delete from invitations where workspace_id = $1 and id = $2 returning email"
_EMAIL = f"select i.email from invitations i where i.hash = $1 and {_GOOD}"  # noqa: S608
_USE = f"delete from invitations i where i.hash = $1 and {_GOOD} returning i.workspace_id, i.role, i.invited_by"  # noqa: S608
_FORGET = "delete from invitations where expires_at < now()"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody may join, and has not yet."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Used:
    """What a used-up invitation gives."""

    workspace_id: UUID
    role: Role
    invited_by: UUID


async def invite(
    connection: Connection, workspace_id: UUID, *, email: str, role: Role, invited_by: UUID
) -> tuple[Invitation, str]:
    """Store an invitation and return it with its token. One for the same address before it is void then.

    Raises `Conflict` for somebody who is a member, and when too many are open.
    """
    if await connection.fetchval(_MEMBER, workspace_id, email) is not None:
        raise Conflict("they are a member already", code="already_member")
    if await connection.fetchval(_COUNT, workspace_id) >= MOST:
        raise Conflict("too many open invitations; withdraw some", code="too_many_invitations")
    text = secret.new(PREFIX)
    row = await connection.fetchrow(
        _INVITE, uuid7(), workspace_id, email, role, secret.digest(text), invited_by, LIFETIME
    )
    return _of(row), text


async def open_ones(connection: Connection, workspace_id: UUID) -> list[Invitation]:
    """Those that can still be accepted, oldest first."""
    return [_of(row) for row in await connection.fetch(_OPEN, workspace_id)]


async def withdraw(connection: Connection, workspace_id: UUID, invitation_id: UUID) -> None:
    """Make it void. Raises `NotFound`."""
    if await connection.fetchrow(_WITHDRAW, workspace_id, invitation_id) is None:
        raise NotFound("there is no such invitation in this workspace")


async def email_of(connection: Connection, digest: bytes) -> str:
    """Whom a token invites. Raises `InvitationInvalid`."""
    email = await connection.fetchval(_EMAIL, digest)
    if email is None:
        raise InvitationInvalid
    return str(email)


async def use(connection: Connection, digest: bytes) -> Used:
    """Use a token up. Raises `InvitationInvalid` for one that is unknown, used, void or too old."""
    row = await connection.fetchrow(_USE, digest)
    if row is None:
        raise InvitationInvalid
    return Used(row["workspace_id"], Role(row["role"]), row["invited_by"])


async def forget(connection: Connection) -> None:
    """Delete those that ran out."""
    await connection.execute(_FORGET)


def _of(row: object) -> Invitation:
    fields = dict(row)  # type: ignore[call-overload]
    return Invitation(**(fields | {"role": Role(fields["role"])}))
