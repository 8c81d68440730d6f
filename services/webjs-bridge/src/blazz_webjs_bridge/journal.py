"""The journal of sends: what will be sent under which id is written down before the page hears of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from blazz_chassis.database import Database
from blazz_contracts.events import SessionSend

from blazz_webjs_bridge.page.words import Ack

# Of one who has lost the lease nothing is written: the new owner decides.
_WRITE = """
insert into web_sends (message_id, attempt, session_id, workspace_id, hex, chat, command)
select r.* from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[])
    r (message_id, attempt, session_id, workspace_id, hex, chat, command)
join web_sessions s on s.id = r.session_id and s.fence = $8
on conflict (message_id, attempt) do nothing
returning message_id, attempt
"""
_GET = """
select message_id, attempt, hex, chat, state, ack, failure, command from web_sends
where session_id = $1 and message_id = $2 and attempt = $3
"""
# Only for the owner: of a session that was lost the new owner decides.
_DOUBTFUL = """
select w.message_id, w.attempt, w.hex, w.chat, w.state, w.ack, w.failure, w.command, w.created_at from web_sends w
join web_sessions s on s.id = w.session_id and s.fence = $3
where w.session_id = $1 and w.state = 'journalled' order by w.created_at limit $2
"""
_DOUBT = """
select w.message_id, w.attempt, w.hex, w.chat, w.state, w.ack, w.failure, w.command, w.created_at from web_sends w
join web_sessions s on s.id = w.session_id and s.fence = $4
where w.session_id = $1 and w.message_id = $2 and w.attempt = $3 and w.state = 'journalled'
"""
_OURS = "select hex from web_sends where session_id = $1 and hex = any($2::text[])"
_RECENT = """
select hex, chat, ack from web_sends
where session_id = $1 and state = 'sent' and ack < $3 and created_at > now() - interval '2 days'
order by created_at desc limit $2
"""
_PURGE = """
delete from web_sends where (message_id, attempt) in (
    select message_id, attempt from web_sends where created_at < now() - make_interval(days => $1) limit $2)
"""
_MOST_PURGED = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt."""

    message_id: UUID
    attempt: int
    hex: str
    chat: str
    state: str
    ack: int = 0
    failure: dict[str, Any] | None = None
    command: dict[str, Any] | None = None
    created_at: datetime | None = None

    @property
    def provider_message_id(self) -> str:
        """WhatsApp's full key of it."""
        return f"true_{self.chat}_{self.hex}"

    @property
    def callback_data(self) -> str:
        """What its statuses name it by."""
        return f"{self.message_id}:{self.attempt}"


def hex_of(message_id: UUID, attempt: int) -> str:
    """The part of WhatsApp's id that we choose: the same for the same attempt, in the form WhatsApp Web itself uses."""
    return "3EB0" + sha256(f"{message_id}:{attempt}".encode()).hexdigest()[:18].upper()


def hex_in(provider_message_id: str) -> str:
    """That part of a full key `true_{chat}_{hex}`."""
    parts = provider_message_id.split("_")
    return parts[2] if len(parts) > 2 else ""


class Journal:
    """The journal of one session, as its owner keeps it."""

    def __init__(self, database: Database, session_id: UUID, fence: int) -> None:
        self._database, self._session_id, self._fence = database, session_id, fence

    async def write(self, batch: list[tuple[SessionSend, str]]) -> Sequence[bool]:
        """Write attempts down, each with the chat it goes to; returns for each whether it is new.

        Not new means that it is there already, or that this instance has lost the session.
        """
        async with self._database.worker() as connection:
            rows = await connection.fetch(
                _WRITE,
                [event.message_id for event, _ in batch],
                [event.attempt for event, _ in batch],
                [event.session_id for event, _ in batch],
                [event.workspace_id for event, _ in batch],
                [hex_of(event.message_id, event.attempt) for event, _ in batch],
                [chat for _, chat in batch],
                [event.model_dump(mode="json") for event, _ in batch],
                self._fence,
            )
        new = {(row["message_id"], row["attempt"]) for row in rows}
        return [(event.message_id, event.attempt) in new for event, _ in batch]

    async def get(self, message_id: UUID, attempt: int) -> Entry | None:
        """What is known of an attempt."""
        async with self._database.worker() as connection:
            row = await connection.fetchrow(_GET, self._session_id, message_id, attempt)
        return Entry(**dict(row)) if row else None

    async def doubtful(self, most: int = 500) -> list[Entry]:
        """Attempts of which nobody knows whether they left, oldest first."""
        async with self._database.worker() as connection:
            rows = await connection.fetch(_DOUBTFUL, self._session_id, most, self._fence)
        return [Entry(**dict(row)) for row in rows]

    async def doubt(self, message_id: UUID, attempt: int) -> Entry | None:
        """This attempt, where it is in doubt still and this instance still owns the session."""
        async with self._database.worker() as connection:
            row = await connection.fetchrow(_DOUBT, self._session_id, message_id, attempt, self._fence)
        return Entry(**dict(row)) if row else None

    async def ours(self, hexes: Sequence[str]) -> set[str]:
        """Those of these ids that are of our own sends."""
        async with self._database.worker() as connection:
            return {row["hex"] for row in await connection.fetch(_OURS, self._session_id, list(hexes))}

    async def recent(self, most: int = 500) -> list[tuple[str, int]]:
        """Full keys and acks of what was sent lately and not read yet."""
        async with self._database.worker() as connection:
            rows = await connection.fetch(_RECENT, self._session_id, most, Ack.READ)
        return [(f"true_{row['chat']}_{row['hex']}", row["ack"]) for row in rows]


async def purge(database: Database, *, days: int) -> bool:
    """Forget old attempts, a part at a time; returns whether there may be more."""
    async with database.worker() as connection:
        done = await connection.execute(_PURGE, days, _MOST_PURGED)
    return done == f"DELETE {_MOST_PURGED}"
