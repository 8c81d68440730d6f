"""Channels: the WhatsApp numbers of a workspace, as the hot paths see them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.database import Connection, Database
from blazz_chassis.seal import Sealer
from blazz_contracts import Event
from blazz_contracts.events import AuditRecorded
from blazz_contracts.session import SessionState

from blazz_chat import web
from blazz_chat.channel_events import updated

# How long a channel may be out of date on another instance after a change: short enough for a person who pressed
# "stop", long enough to cost nothing.
FRESH_SECONDS = 1.0
_MOST_KNOWN = 10_000
# The share of a channel's bucket that only urgent messages may take: a person's reply never waits for a campaign.
URGENT_SHARE = 0.1

_COLUMNS = (
    "id, workspace_id, provider, name, phone_number_id, waba_id, state, limits, sealed_credentials, session_state"
)
_BY_ID = f"select {_COLUMNS} from channels where id = any($1::uuid[]) and deleted_at is null"  # noqa: S608
_DEFAULTS = f"""
select distinct on (workspace_id) {_COLUMNS} from channels
where workspace_id = any($1::uuid[]) and deleted_at is null
order by workspace_id, state, created_at, id
"""  # noqa: S608
_STOP = """
update channels set state = 'stopped', state_reason = $2, revision = revision + 1
where id = $1 and state = 'active' returning *
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may go out of a channel; see `ChannelLimits`."""

    messages_per_second: float | None
    pair_seconds: float | None
    pair_burst: int
    recipients_per_day: int | None

    @property
    def bucket_size(self) -> float:
        """Tokens the bucket holds: one second's worth."""
        return max(1.0, self.messages_per_second or 1.0)

    @property
    def urgent_share(self) -> float:
        """Tokens of a full bucket that only urgent messages may take; never all, or nothing else would ever leave."""
        return min(self.bucket_size * URGENT_SHARE, self.bucket_size - 1.0)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with its credentials open. Never logged: `repr` shows the id alone."""

    id: UUID
    workspace_id: UUID
    provider: str
    name: str
    phone_number_id: str | None
    waba_id: str | None
    active: bool
    limits: Limits
    access_token: str
    session_state: str | None = None

    @property
    def by_session(self) -> bool:
        """Whether a WhatsApp Web session serves it."""
        return self.provider == web.PROVIDER

    @property
    def sends(self) -> bool:
        """Whether messages may leave now. A session that is not ready keeps nothing from being accepted."""
        return self.active and (not self.by_session or self.session_state == SessionState.READY)

    def __repr__(self) -> str:
        return f"Channel({self.id})"


class Channels:
    """Reads channels through a short-lived cache."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._known: dict[UUID, tuple[float, Channel | None]] = {}
        self._default: dict[UUID, tuple[float, Channel | None]] = {}

    async def get(self, connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Channel]:
        """The channels of these ids that exist, whatever their workspace: the caller checks whose they are."""
        now, found, missing = time.monotonic(), {}, []
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()  # ids come from outside: they must not fill the memory
        for channel_id in set(ids):
            at, channel = self._known.get(channel_id, (0.0, None))
            if now - at > FRESH_SECONDS:
                missing.append(channel_id)
            elif channel is not None:
                found[channel_id] = channel
        if missing:
            rows = {row["id"]: self._open(row) for row in await connection.fetch(_BY_ID, missing)}
            for channel_id in missing:
                self._known[channel_id] = (now, rows.get(channel_id))
            found |= rows
        return found

    async def defaults(self, connection: Connection, workspaces: Iterable[UUID]) -> dict[UUID, Channel]:
        """The channel a workspace sends from when a request names none: its first active one."""
        now, found, missing = time.monotonic(), {}, []
        for workspace_id in set(workspaces):
            at, channel = self._default.get(workspace_id, (0.0, None))
            if now - at > FRESH_SECONDS:
                missing.append(workspace_id)
            elif channel is not None:
                found[workspace_id] = channel
        if missing:
            rows = {row["workspace_id"]: self._open(row) for row in await connection.fetch(_DEFAULTS, missing)}
            for workspace_id in missing:
                self._default[workspace_id] = (now, rows.get(workspace_id))
            found |= rows
        return found

    async def one(self, database: Database, channel_id: UUID) -> Channel | None:
        """One channel; asks the database only when the cache is too old."""
        at, channel = self._known.get(channel_id, (0.0, None))
        if time.monotonic() - at <= FRESH_SECONDS:
            return channel
        async with database.worker() as connection:
            return (await self.get(connection, [channel_id])).get(channel_id)

    def forget(self, channel_id: UUID) -> None:
        """Drop what is cached of a channel that has just changed."""
        self._known.pop(channel_id, None)
        self._default.clear()

    async def stop(self, connection: Connection, reasons: dict[UUID, str]) -> list[Event]:
        """Stop numbers that WhatsApp will not serve; one that is stopped already keeps its first reason.

        Returns what is to be told of them.
        """
        told: list[Event] = []
        for channel_id in sorted(reasons):
            self.forget(channel_id)
            row = await connection.fetchrow(_STOP, channel_id, reasons[channel_id])
            if row is not None:
                told += [updated(row, self._sealer), _stopped(row)]
        return told

    def _open(self, row: Any) -> Channel:
        credentials = orjson.loads(self._sealer.open(row["sealed_credentials"]))
        limits = row["limits"]
        return Channel(
            id=row["id"],
            workspace_id=row["workspace_id"],
            provider=row["provider"],
            name=row["name"],
            phone_number_id=row["phone_number_id"],
            waba_id=row["waba_id"],
            active=row["state"] == "active",
            limits=Limits(
                messages_per_second=limits.get("messages_per_second"),
                pair_seconds=limits.get("pair_seconds"),
                pair_burst=limits.get("pair_burst", 45),
                recipients_per_day=limits.get("recipients_per_day"),
            ),
            access_token=credentials.get("access_token", ""),
            session_state=row["session_state"],
        )


def _stopped(row: Any) -> AuditRecorded:
    return AuditRecorded(
        workspace_id=row["workspace_id"],
        action="channel.stopped",
        actor_kind="provider",
        target_kind="channel",
        target_id=str(row["id"]),
        data={"name": row["name"], "state": row["state"], "reason": row["state_reason"]},
        at=datetime.now(UTC),
    )
