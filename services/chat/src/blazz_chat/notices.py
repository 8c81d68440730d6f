"""What a provider says of accounts, templates, preferences, and what we have no name for: kept, shown to admins."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection, Database
from blazz_contracts import Envelope
from blazz_contracts.events import (
    ProviderAccount,
    ProviderPreference,
    ProviderSession,
    ProviderTemplate,
    ProviderUnrecognized,
)

from blazz_chat.storable import storable

Notice = ProviderAccount | ProviderTemplate | ProviderPreference | ProviderSession | ProviderUnrecognized

_INSERT = """
insert into provider_notices (id, workspace_id, channel_id, kind, field, value, received_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing
"""
# Webhooks come in any order: the latest word of the customer holds, and of two in one second "stop".
_PREFERENCE = """
update contacts set marketing_opt_out = $4, opt_out_at = $5
where workspace_id = $1 and (phone = $2 or wa_id = $2 or user_id = $3)
  and (opt_out_at is null or opt_out_at < $5 or (opt_out_at = $5 and $4))
"""
_RECENT = """
select id, channel_id, kind, field, value, received_at from provider_notices
where workspace_id = $1 and ($2::uuid is null or (received_at, id) <
    (select received_at, id from provider_notices where workspace_id = $1 and id = $2))
order by received_at desc, id desc limit $3
"""
# A part at a time: what outlasts a statement's time limit is rolled back, each time anew.
_PURGE = """
delete from provider_notices where ctid = any(array(
    select ctid from provider_notices where received_at < now() - make_interval(days => $1)
    order by received_at limit $2))
"""
_PURGED_AT_ONCE = 5000


class Notices:
    """Keeps notices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(self, notice: Notice, envelope: Envelope) -> None:
        """Keep one; a redelivery changes nothing. Preferences take effect on the contact."""
        async with self._database.worker() as connection:
            await connection.execute(
                _INSERT,
                envelope.message_id,
                notice.workspace_id,
                notice.channel_id,
                notice.name,
                notice.field,
                storable(notice.value),
                notice.received_at,
            )
            if isinstance(notice, ProviderPreference):
                await self._prefer(connection, notice)

    async def _prefer(self, connection: Connection, notice: ProviderPreference) -> None:
        for preference in notice.value.get("user_preferences") or []:
            if isinstance(preference, dict) and preference.get("category") == "marketing_messages":
                await connection.execute(
                    _PREFERENCE,
                    notice.workspace_id,
                    preference.get("wa_id"),
                    preference.get("user_id"),
                    preference.get("value") == "stop",
                    _said_at(preference.get("timestamp"), notice.received_at),
                )

    async def recent(self, workspace_id: UUID, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
        """The latest notices of a workspace."""
        async with self._database.api(workspace_id) as connection:
            return [dict(row) for row in await connection.fetch(_RECENT, workspace_id, before, limit)]

    async def purge(self, *, days: int) -> bool:
        """Forget some notices older than this; returns whether there may be more."""
        async with self._database.worker() as connection:
            return str(await connection.execute(_PURGE, days, _PURGED_AT_ONCE)) == f"DELETE {_PURGED_AT_ONCE}"


def _said_at(timestamp: Any, received_at: datetime) -> datetime:
    """WhatsApp's time of a preference (Unix seconds); one that is missing or ahead of us counts as when it came."""
    try:
        return min(datetime.fromtimestamp(int(timestamp), UTC), received_at)
    except (TypeError, ValueError, OverflowError, OSError):
        return received_at
