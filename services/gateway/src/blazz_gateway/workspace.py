"""Tenants, and who belongs to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Conflict, NotFound
from blazz_chassis.ids import uuid7
from blazz_contracts.events import WorkspaceUpdated

from blazz_gateway.role import Role

Unsettled = Literal["resend", "unconfirmed"]

_GET = "select id, display_name, unsettled, created_at from workspaces where id = $1"
_UPDATE = """
update workspaces set revision = revision + 1, display_name = coalesce($2, display_name),
  unsettled = coalesce($3, unsettled)
where id = $1 returning revision, display_name, unsettled
"""
_INSERT = "insert into workspaces (id, display_name, unsettled) values ($1, $2, $3)"
_JOIN = """
insert into memberships (workspace_id, user_id, role) values ($1, $2, $3) on conflict do nothing returning user_id
"""
_OWNED = """
select w.id, w.display_name from memberships m join workspaces w on w.id = m.workspace_id
where m.user_id = $1 and m.role = 'owner' order by w.created_at, w.id limit 1
"""
_MEMBERS = """
select u.id, u.email, u.name, m.role, m.created_at from memberships m join users u on u.id = m.user_id
where m.workspace_id = $1 order by m.created_at, u.id
"""
# Locked, so that two owners cannot leave at once and nobody is left.
_OWNERS = "select user_id from memberships where workspace_id = $1 and role = 'owner' order by user_id for update"
_ROLE = "select role from memberships where workspace_id = $1 and user_id = $2 for update"
_CHANGE = "update memberships set role = $3 where workspace_id = $1 and user_id = $2"
_LEAVE = "delete from memberships where workspace_id = $1 and user_id = $2"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant."""

    id: UUID
    display_name: str
    unsettled: Unsettled
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Owned:
    """A workspace that somebody owns."""

    id: UUID
    display_name: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a workspace."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    """When they joined."""


async def create(
    connection: Connection, name: str, owner_id: UUID, unsettled: Unsettled = "resend"
) -> WorkspaceUpdated:
    """Store a new workspace with its owner and return the event that tells of it, for the outbox."""
    workspace_id = uuid7()
    await connection.execute(_INSERT, workspace_id, name, unsettled)
    await join(connection, workspace_id, owner_id, Role.OWNER)
    return WorkspaceUpdated(workspace_id=workspace_id, revision=1, display_name=name, unsettled=unsettled)


async def get(connection: Connection, workspace_id: UUID) -> Workspace:
    """The workspace. Raises `NotFound`."""
    row = await connection.fetchrow(_GET, workspace_id)
    if row is None:
        raise NotFound("there is no such workspace")
    return Workspace(**row)


async def change(
    connection: Connection, workspace_id: UUID, *, name: str | None, unsettled: Unsettled | None
) -> WorkspaceUpdated:
    """Change what is named, and return the event that tells of it, for the outbox. Raises `NotFound`."""
    row = await connection.fetchrow(_UPDATE, workspace_id, name, unsettled)
    if row is None:
        raise NotFound("there is no such workspace")
    return WorkspaceUpdated(workspace_id=workspace_id, **row)


async def owned_by(connection: Connection, user_id: UUID) -> Owned | None:
    """The first workspace that a user owns."""
    row = await connection.fetchrow(_OWNED, user_id)
    return Owned(row["id"], row["display_name"]) if row is not None else None


async def join(connection: Connection, workspace_id: UUID, user_id: UUID, role: Role) -> bool:
    """Make a user a member; False when they are one already (their role stays)."""
    return await connection.fetchval(_JOIN, workspace_id, user_id, role) is not None


async def members(connection: Connection, workspace_id: UUID) -> list[Member]:
    """The members, oldest first."""
    return [
        Member(row["id"], row["email"], row["name"], Role(row["role"]), row["created_at"])
        for row in await connection.fetch(_MEMBERS, workspace_id)
    ]


async def change_role(connection: Connection, workspace_id: UUID, user_id: UUID, role: Role | None) -> Role:
    """Give a member another role, or none: then they are no member any more. Returns the one they had.

    Raises `NotFound`, and `Conflict` for the last owner.
    """
    owners = [row["user_id"] for row in await connection.fetch(_OWNERS, workspace_id)]
    had = await connection.fetchval(_ROLE, workspace_id, user_id)
    if had is None:
        raise NotFound("there is no such member in this workspace")
    if owners == [user_id] and role is not Role.OWNER:
        raise Conflict("a workspace needs an owner; make somebody else one first", code="last_owner")
    if role is None:
        await connection.execute(_LEAVE, workspace_id, user_id)
    else:
        await connection.execute(_CHANGE, workspace_id, user_id, role)
    return Role(had)
