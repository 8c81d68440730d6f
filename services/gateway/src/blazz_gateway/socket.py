"""Websockets that were admitted to a private channel: signed for the notifier, remembered until access ends."""

import hmac
import re
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.database import Connection
from blazz_chassis.errors import Forbidden, Invalid
from blazz_chassis.ids import uuid7
from blazz_contracts.events import AccessRevoked
from pydantic import SecretStr

from blazz_gateway.actor import Actor
from blazz_gateway.errors import CredentialInvalid

SOCKET_ID = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")
PIECE = 500
"""Sockets closed in one transaction and named in one event: some 20 KB of it."""
MOST = 5_000
"""Open sockets that are remembered of one credential, as many as the notifier takes of a workspace on an instance.
Over it the oldest are closed: most of these went long ago, as nobody says when a socket goes."""
REPEATS = 60
"""How often the notifier is told: an instance whose own queue is away when it is said never hears it. A minute apart
(`gateway_revoked_repeat_seconds`), so for an hour in which the broker takes messages."""
KEPT_DAYS = 30
"""The notifier lets no socket live as long, so whatever is open can still be closed by its credential's end."""
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CHANNEL = re.compile(rf"(private-workspace|presence-workspace|private-chat)\.({_UUID})")

# The credential is looked at again under a lock, beside the cache: its end and this admission come one after the other,
# and whichever is second knows of the first. So no socket is admitted that nobody closes.
_LIVE = {
    "token": """
        select 1 from api_tokens where id = $1 and workspace_id = $2 and revoked_at is null
        and (expires_at is null or expires_at > now()) for share
    """,
    "user": """
        select 1 from sessions s join memberships m on m.user_id = s.user_id
        where s.id = $1 and m.workspace_id = $2 and s.ended_at is null and s.expires_at > now() for share of s, m
    """,
}
_ADMIT = """
insert into socket_auths (socket_id, workspace_id, credential_id, actor_id) values ($1, $2, $3, $4)
on conflict (socket_id, workspace_id, credential_id) do update set created_at = now()
returning xmax = 0 as new
"""
_OPEN = """
select count(*) from (
  select 1 from socket_auths where credential_id = $1 and revoked_at is null limit $2
) as counted
"""
# Marked, not deleted: what the notifier was told may not have reached it.
_MARK = """
update socket_auths a set revoked_at = now(), told_at = now(), told = 1, revoked_reason = {reason}
from ({piece}) as over
where a.socket_id = over.socket_id and a.workspace_id = over.workspace_id and a.credential_id = over.credential_id
returning a.workspace_id, a.socket_id, a.revoked_reason as reason
"""
_KEY = "s.socket_id, s.workspace_id, s.credential_id"
_CLOSE = _MARK.format(
    reason="$5",
    piece=f"""
    select {_KEY} from socket_auths s
    where (s.credential_id = $1 or (s.actor_id = $2 and s.workspace_id = $3)) and s.revoked_at is null limit $4
    """,  # noqa: S608 - constants
)
_OLDEST = _MARK.format(
    reason="'too many sockets of one credential'",
    piece=f"""
    select {_KEY} from socket_auths s where s.credential_id = $1 and s.revoked_at is null
    order by s.created_at, s.socket_id limit $2 for update skip locked
    """,  # noqa: S608
)
_EXPIRED = _MARK.format(
    reason="'expired'",
    piece=f"""
    select {_KEY} from socket_auths s join (
        select id from api_tokens where expires_at < now()
        union all select id from sessions where expires_at < now()
    ) as ended on ended.id = s.credential_id where s.revoked_at is null limit $1 for update of s skip locked
    """,  # noqa: S608
)
_END = "insert into access_ends (id, workspace_id, credential_id, actor_id, reason) values ($1, $2, $3, $4, $5)"
# Locked, so that two who close the same do so one after the other.
_ONE_END = "select workspace_id, credential_id, actor_id, reason from access_ends where id = $1 for update"
_ENDS = "select id from access_ends order by id limit 100"
_DONE = "delete from access_ends where id = $1"
_DUE = f"""
update socket_auths a set told_at = now() from (
  select {_KEY} from socket_auths s
  where s.revoked_at is not null and s.told_at < now() - $1::interval and s.told < {REPEATS}
  order by s.told_at limit $2 for update skip locked
) as due
where a.socket_id = due.socket_id and a.workspace_id = due.workspace_id and a.credential_id = due.credential_id
returning a.socket_id, a.workspace_id, a.credential_id, a.revoked_reason as reason
"""  # noqa: S608 - constants
_TOLD = """
update socket_auths a set told = a.told + 1
from unnest($1::text[], $2::uuid[], $3::uuid[]) as n (socket_id, workspace_id, credential_id)
where a.socket_id = n.socket_id and a.workspace_id = n.workspace_id and a.credential_id = n.credential_id
"""
_FORGET_TOLD = f"delete from socket_auths where revoked_at is not null and told >= {REPEATS}"  # noqa: S608
_FORGET = f"delete from socket_auths where created_at < now() - interval '{KEPT_DAYS} days'"  # noqa: S608


class Signer:
    """Signs subscriptions as Pusher servers want them."""

    def __init__(self, key: str, secret: SecretStr) -> None:
        """The websocket application's key and secret."""
        self._key, self._secret = key, secret.get_secret_value().encode()

    def sign(self, socket_id: str, channel: str, channel_data: str | None = None) -> dict[str, str]:
        """The answer that pusher-js hands to the server (HMAC-SHA256 of socket, channel and channel data)."""
        text = ":".join([socket_id, channel, *([channel_data] if channel_data is not None else [])])
        signature = hmac.new(self._secret, text.encode(), sha256).hexdigest()
        answer = {"auth": f"{self._key}:{signature}"}
        if channel_data is not None:
            answer["channel_data"] = channel_data
        return answer


def workspace_of(channel: str) -> UUID:
    """The workspace that a channel name ends in. Raises `Forbidden` when it is no channel that needs our word."""
    match = _CHANNEL.fullmatch(channel)
    if match is None:
        raise Forbidden("there is no such channel, or it is not yours", code="channel_forbidden")
    return UUID(match.group(2))


def check_socket_id(socket_id: str) -> str:
    """Return it; raise `Invalid` when it has not the form that Pusher servers give."""
    if not SOCKET_ID.fullmatch(socket_id):
        raise Invalid("a socket id is two numbers with a dot between", field="socket_id")
    return socket_id


def member_data(actor: Actor) -> str:
    """Who joins a presence channel, as the JSON text that is signed."""
    role = str(actor.role) if actor.role is not None else "api"
    return orjson.dumps({"user_id": str(actor.id), "user_info": {"name": actor.name, "role": role}}).decode()


async def admit(connection: Connection, actor: Actor, socket_id: str) -> list[AccessRevoked]:
    """Remember whose socket it is; return what tells the notifier to close the oldest when there are too many.

    Raises `CredentialInvalid` when their access has ended by now.
    """
    credential_id = credential_of(actor)
    if await connection.fetchval(_LIVE[actor.kind], credential_id, actor.workspace_id) is None:
        raise CredentialInvalid
    if not await connection.fetchval(_ADMIT, socket_id, actor.workspace_id, credential_id, actor.id):
        return []
    too_many = await connection.fetchval(_OPEN, credential_id, MOST + PIECE) - MOST
    return _events(await connection.fetch(_OLDEST, credential_id, too_many)) if too_many > 0 else []


def credential_of(actor: Actor) -> UUID:
    """What lets them in: the session, or the API token."""
    return actor.session_id or actor.id


async def ended(connection: Connection, credential_id: UUID, reason: str, *, workspace_id: UUID | None = None) -> UUID:
    """Note, in the transaction of its end, that an API token's or a session's sockets must be closed."""
    end_id = uuid7()
    await connection.execute(_END, end_id, workspace_id, credential_id, None, reason)
    return end_id


async def left(connection: Connection, user_id: UUID, workspace_id: UUID, reason: str) -> UUID:
    """The same for a member who left, or whose role changed."""
    end_id = uuid7()
    await connection.execute(_END, end_id, workspace_id, None, user_id, reason)
    return end_id


async def ends(connection: Connection) -> list[UUID]:
    """Ends of access whose sockets are not all closed, oldest first."""
    return [row["id"] for row in await connection.fetch(_ENDS)]


async def close_piece(connection: Connection, end_id: UUID) -> list[AccessRevoked]:
    """Mark up to `PIECE` sockets of an end of access; return what tells the notifier. Fewer: it is done with."""
    end = await connection.fetchrow(_ONE_END, end_id)
    if end is None:
        return []
    rows = await connection.fetch(
        _CLOSE, end["credential_id"], end["actor_id"], end["workspace_id"], PIECE, end["reason"]
    )
    if len(rows) < PIECE:
        await connection.execute(_DONE, end_id)
    return _events(rows)


async def expired_piece(connection: Connection) -> list[AccessRevoked]:
    """The same for credentials that ran out."""
    return _events(await connection.fetch(_EXPIRED, PIECE))


async def due_again(connection: Connection, apart: timedelta) -> tuple[list[Any], list[AccessRevoked]]:
    """Closed sockets, up to `PIECE`, of which the notifier was last told `apart` ago; hand them to `told_again`."""
    rows = await connection.fetch(_DUE, apart, PIECE)
    return rows, _events(rows)


async def told_again(connection: Connection, rows: list[Any]) -> None:
    """Count that it was told of them."""
    columns = [[row[name] for row in rows] for name in ("socket_id", "workspace_id", "credential_id")]
    await connection.execute(_TOLD, *columns)


async def forget(connection: Connection) -> None:
    """Delete what was told often enough, and what is so old that its socket is surely gone."""
    await connection.execute(_FORGET_TOLD)
    await connection.execute(_FORGET)


def _events(rows: list[Any]) -> list[AccessRevoked]:
    grouped: dict[tuple[UUID, str], list[str]] = {}
    for row in rows:
        grouped.setdefault((row["workspace_id"], row["reason"]), []).append(row["socket_id"])
    return [
        AccessRevoked(workspace_id=workspace_id, socket_ids=socket_ids, reason=reason)
        for (workspace_id, reason), socket_ids in grouped.items()
    ]
