"""The gateway's replica of channels: what is needed to take webhooks while chat is down."""

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import orjson
import structlog
from blazz_chassis.database import Database
from blazz_chassis.errors import DatabaseBusy, DatabaseUnavailable
from blazz_chassis.seal import SealBroken, Sealer
from blazz_contracts.events import ChannelUpdated

from blazz_gateway.cache import Cache

log = structlog.get_logger(__name__)

T = TypeVar("T")

# An event may come late, or twice: only a newer revision changes anything.
_KEEP = """
insert into channels as c (id, workspace_id, revision, provider, display_name, phone_number_id, waba_id,
                           webhook_identifier, sealed_webhook_secrets, deleted)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (id) do update set revision = excluded.revision, provider = excluded.provider,
  display_name = excluded.display_name, phone_number_id = excluded.phone_number_id, waba_id = excluded.waba_id,
  webhook_identifier = excluded.webhook_identifier, sealed_webhook_secrets = excluded.sealed_webhook_secrets,
  deleted = excluded.deleted
where c.revision < excluded.revision and c.workspace_id = excluded.workspace_id
returning id
"""
_COLUMNS = "id, workspace_id, phone_number_id, waba_id, sealed_webhook_secrets"
_BY_IDENTIFIER = f"select {_COLUMNS} from channels where webhook_identifier = $1 and not deleted"  # noqa: S608 - constants
_BY_NUMBER = f"select {_COLUMNS} from channels where phone_number_id = $1 and not deleted order by id"  # noqa: S608
_OLDEST_WEB = """
select id from channels where workspace_id = $1 and provider = 'webjs' and not deleted order by id limit 1
"""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as its webhooks need it."""

    id: UUID
    workspace_id: UUID
    phone_number_id: str | None
    waba_id: str | None
    app_secret: bytes | None
    verify_token: str | None


class Channels:
    """The channels this gateway knows. When the database is away, what was known last is believed on."""

    def __init__(self, database: Database, sealer: Sealer, *, cache_seconds: float) -> None:
        self._database, self._sealer = database, sealer
        self._by_identifier: Cache[str, Channel] = Cache(self._load_identifier, seconds=cache_seconds)
        self._by_number: Cache[str, tuple[Channel, ...]] = Cache(self._load_number, seconds=cache_seconds)

    async def keep(self, event: ChannelUpdated) -> bool:
        """Store what chat told; False when it is not newer than what is there."""
        async with self._database.worker() as connection:
            kept = await connection.fetchval(
                _KEEP,
                event.channel_id,
                event.workspace_id,
                event.revision,
                event.provider,
                event.display_name,
                event.phone_number_id,
                event.waba_id,
                event.webhook_identifier,
                event.sealed_webhook_secrets,
                event.deleted,
            )
        self.forget()
        return kept is not None

    def forget(self) -> None:
        """Look every channel up again."""
        self._by_identifier.clear()
        self._by_number.clear()

    async def by_identifier(self, identifier: str) -> Channel | None:
        """The channel whose webhook this is."""
        return await _or_stale(self._by_identifier, identifier)

    async def by_number(self, phone_number_id: str) -> tuple[Channel, ...]:
        """The channels of a number: one, unless two workspaces claim it."""
        return await _or_stale(self._by_number, phone_number_id) or ()

    async def oldest_web(self, workspace_id: UUID) -> UUID | None:
        """The WhatsApp Web number meant by who names none: ids are UUIDv7, so the first one is the oldest."""
        async with self._database.api(workspace_id) as connection:
            found: UUID | None = await connection.fetchval(_OLDEST_WEB, workspace_id)
            return found

    async def _load_identifier(self, identifier: str) -> Channel | None:
        async with self._database.worker() as connection:
            row = await connection.fetchrow(_BY_IDENTIFIER, identifier)
        return self._opened(row) if row is not None else None

    async def _load_number(self, phone_number_id: str) -> tuple[Channel, ...]:
        async with self._database.worker() as connection:
            rows = await connection.fetch(_BY_NUMBER, phone_number_id)
        return tuple(
            Channel(row["id"], row["workspace_id"], phone_number_id, row["waba_id"], None, None) for row in rows
        )

    def _opened(self, row: Any) -> Channel:
        secrets: dict[str, str] = {}
        sealed = row["sealed_webhook_secrets"]
        if isinstance(sealed, str):
            try:
                secrets = orjson.loads(self._sealer.open(sealed))
            except (SealBroken, orjson.JSONDecodeError):
                # Its webhooks are refused until the key is back; the provider delivers them again.
                log.error("webhook_secrets_unreadable", channel_id=str(row["id"]))
        app_secret = secrets.get("app_secret")
        return Channel(
            id=row["id"],
            workspace_id=row["workspace_id"],
            phone_number_id=row["phone_number_id"],
            waba_id=row["waba_id"],
            app_secret=app_secret.encode() if app_secret else None,
            verify_token=secrets.get("verify_token"),
        )


async def _or_stale(cache: Cache[str, T], key: str) -> T | None:
    try:
        return await cache.get(key)
    except (DatabaseUnavailable, DatabaseBusy):
        known = cache.stale(key)
        if known is None:
            raise
        return known
