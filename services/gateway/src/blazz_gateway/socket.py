"""Websockets that were admitted to a private channel: signed for the notifier, remembered until access ends."""

import hmac
import re
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.database import Connection
from blazz_chassis.errors import Forbidden, Invalid
from blazz_contracts.events import AccessRevoked
from pydantic import SecretStr

from blazz_gateway.actor import Actor
from blazz_gateway.errors import CredentialInvalid

SOCKET_ID = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")
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
"""
_OF_CREDENTIAL = "delete from socket_auths where credential_id = $1 returning workspace_id, socket_id"
_OF_MEMBER = "delete from socket_auths where actor_id = $1 and workspace_id = $2 returning workspace_id, socket_id"
_FORGET = "delete from socket_auths where created_at < now() - interval '30 days'"
_EXPIRED = """
delete from socket_auths a using (
    select id from api_tokens where expires_at < now()
    union all select id from sessions where expires_at < now()
) as over where over.id = a.credential_id returning a.workspace_id, a.socket_id
"""


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


async def admit(connection: Connection, actor: Actor, socket_id: str) -> None:
    """Remember whose socket it is. Raises `CredentialInvalid` when their access has ended by now."""
    credential_id = actor.session_id or actor.id
    if await connection.fetchval(_LIVE[actor.kind], credential_id, actor.workspace_id) is None:
        raise CredentialInvalid
    await connection.execute(_ADMIT, socket_id, actor.workspace_id, credential_id, actor.id)


async def revoked(connection: Connection, credential_id: UUID, reason: str) -> list[AccessRevoked]:
    """Forget the sockets of an API token or a session that ended; return what tells the notifier to close them."""
    return _events(await connection.fetch(_OF_CREDENTIAL, credential_id), reason)


async def left(connection: Connection, user_id: UUID, workspace_id: UUID, reason: str) -> list[AccessRevoked]:
    """The same for a member who left, or whose role changed."""
    return _events(await connection.fetch(_OF_MEMBER, user_id, workspace_id), reason)


async def expired(connection: Connection) -> list[AccessRevoked]:
    """The same for credentials that ran out."""
    return _events(await connection.fetch(_EXPIRED), "expired")


async def forget(connection: Connection) -> None:
    """Delete what is so old that its socket is surely gone."""
    await connection.execute(_FORGET)


def _events(rows: list[Any], reason: str) -> list[AccessRevoked]:
    by_workspace: dict[UUID, list[str]] = {}
    for row in rows:
        by_workspace.setdefault(row["workspace_id"], []).append(row["socket_id"])
    return [
        AccessRevoked(workspace_id=workspace_id, socket_ids=socket_ids, reason=reason)
        for workspace_id, socket_ids in by_workspace.items()
    ]
