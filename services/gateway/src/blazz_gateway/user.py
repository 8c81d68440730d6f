"""People and the workspaces they belong to."""

import re
from dataclasses import dataclass
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Invalid
from blazz_chassis.ids import uuid7

from blazz_gateway.role import Role

# Enough to catch a typing error; whether an address exists only a mail to it tells.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
MAX_EMAIL = 254

_BY_EMAIL = "select id, email, name, password_hash from users where email = $1"
_INSERT = """
insert into users (id, email, name, password_hash) values ($1, $2, $3, $4) on conflict (email) do nothing
returning id, email, name, password_hash
"""
_NEW_HASH = "update users set password_hash = $2 where id = $1"
_MEMBERSHIPS = """
select m.workspace_id, m.role, w.display_name from memberships m join workspaces w on w.id = m.workspace_id
where m.user_id = $1 order by m.created_at, m.workspace_id
"""


@dataclass(frozen=True, slots=True)
class User:
    """A person with what their password is checked against."""

    id: UUID
    email: str
    name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's role in a workspace."""

    workspace_id: UUID
    role: Role
    workspace_name: str


def normal_email(email: str) -> str:
    """Return the address in the form it is stored in; raise `Invalid` naming `email` when it is none."""
    plain = email.strip().lower()
    if len(plain) > MAX_EMAIL or "\x00" in plain or not _EMAIL.fullmatch(plain):
        raise Invalid("this is not an e-mail address", field="email")
    return plain


async def by_email(connection: Connection, email: str) -> User | None:
    """The user with this (normalised) address."""
    row = await connection.fetchrow(_BY_EMAIL, email)
    return User(**row) if row is not None else None


async def add(connection: Connection, *, email: str, name: str, password_hash: str) -> User | None:
    """Add somebody; None when the address has a login already, which stays as it is."""
    row = await connection.fetchrow(_INSERT, uuid7(), email, name, password_hash)
    return User(**row) if row is not None else None


async def set_password_hash(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Store a new hash."""
    await connection.execute(_NEW_HASH, user_id, password_hash)


async def memberships(connection: Connection, user_id: UUID) -> list[Membership]:
    """The workspaces of a user, oldest membership first."""
    rows = await connection.fetch(_MEMBERSHIPS, user_id)
    return [Membership(row["workspace_id"], Role(row["role"]), row["display_name"]) for row in rows]
