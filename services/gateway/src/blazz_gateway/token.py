"""API tokens: 256 random bits shown once, kept as their hash, with scopes, a rate limit and an expiry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Invalid, NotFound
from blazz_chassis.ids import uuid7

from blazz_gateway import secret
from blazz_gateway.role import GRANTABLE, Permission

PREFIX = "blz_"
SHOWN = len(PREFIX) + 6
"""How much of a token is kept readable: enough to recognise it, and 220 bits are left to guess."""

_COLUMNS = (
    "id, workspace_id, name, prefix, scopes, rate_per_minute, "
    "created_by, created_at, expires_at, revoked_at, last_used_at"
)
_INSERT = f"""
insert into api_tokens (id, workspace_id, name, prefix, hash, scopes, rate_per_minute, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning {_COLUMNS}
"""  # noqa: S608 - constants
_LIST = f"select {_COLUMNS} from api_tokens where workspace_id = $1 order by id desc limit 1000"  # noqa: S608
_REVOKE = f"""
update api_tokens set revoked_at = coalesce(revoked_at, now()) where workspace_id = $1 and id = $2 returning {_COLUMNS}
"""  # noqa: S608
_BY_HASH = f"select {_COLUMNS} from api_tokens where hash = $1 and revoked_at is null"  # noqa: S608
# At most once a minute: it is for people, and a write for every request would be dear.
_TOUCH = """
update api_tokens set last_used_at = now() where id = $1
and (last_used_at is null or last_used_at < now() - interval '1 minute')
"""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token as it is stored; never the token itself."""

    id: UUID
    workspace_id: UUID
    name: str
    prefix: str
    scopes: frozenset[Permission]
    rate_per_minute: int | None
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


async def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    name: str,
    scopes: Sequence[Permission],
    rate_per_minute: int | None,
    expires_at: datetime | None,
    created_by: UUID | None,
) -> tuple[ApiToken, str]:
    """Store a new token and return it with its text, which nobody can show again. Raises `Invalid` for its scopes."""
    for scope in scopes:
        if scope not in GRANTABLE:
            raise Invalid(f"a token cannot have the scope {scope}", field="scopes")
    text = secret.new(PREFIX)
    row = await connection.fetchrow(
        _INSERT,
        uuid7(),
        workspace_id,
        name,
        text[:SHOWN],
        secret.digest(text),
        sorted(set(scopes)),
        rate_per_minute,
        created_by,
        expires_at,
    )
    return _of(row), text


async def of_workspace(connection: Connection, workspace_id: UUID) -> list[ApiToken]:
    """The workspace's tokens, revoked ones too, newest first."""
    return [_of(row) for row in await connection.fetch(_LIST, workspace_id)]


async def revoke(connection: Connection, workspace_id: UUID, token_id: UUID) -> ApiToken:
    """Revoke a token of the workspace (again is fine); raise `NotFound`."""
    row = await connection.fetchrow(_REVOKE, workspace_id, token_id)
    if row is None:
        raise NotFound("there is no such token in this workspace")
    return _of(row)


async def by_text(connection: Connection, digest: bytes) -> ApiToken | None:
    """The token whose text has this digest, unless it is revoked; notes that it is used."""
    row = await connection.fetchrow(_BY_HASH, digest)
    if row is None:
        return None
    await connection.execute(_TOUCH, row["id"])
    return _of(row)


def _of(row: object) -> ApiToken:
    fields = dict(row)  # type: ignore[call-overload]
    # A scope that a later version wrote and this one does not know grants nothing here.
    known = {each.value for each in Permission}
    fields["scopes"] = frozenset(Permission(scope) for scope in fields["scopes"] if scope in known)
    return ApiToken(**fields)
