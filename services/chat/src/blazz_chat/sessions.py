"""What the bridge tells of a WhatsApp Web session is kept with its channel: messages leave in `ready` alone."""

from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.database import Database
from blazz_chassis.errors import Permanent
from blazz_chassis.outbox import Outbox
from blazz_chassis.seal import Sealer
from blazz_contracts.events import ProviderSession
from blazz_contracts.events.provider_session import SessionTold
from blazz_contracts.session import SessionState
from blazz_contracts.views.session import CreateSession
from pydantic import ValidationError

from blazz_chat.channel_events import updated
from blazz_chat.channels import Channels
from blazz_chat.people import digits
from blazz_chat.storable import storable

log = structlog.get_logger(__name__)

STATE = "state"
"""The field that tells of a session's state; other fields are notices."""

# Late news changes nothing. The account's name takes the place of the one a session is born with, of no other. Another
# number than before: what waits for the former one must not leave from it (`abandoning`, `providers.webjs`).
_TOLD = """
with before as (
    select id, name, display_phone_number from channels
    where id = $1 and workspace_id = $2 and provider = 'webjs' and deleted_at is null and session_revision < $3
    for no key update
), after as (
    select id, coalesce($7, display_phone_number) as phone, display_phone_number <> $7 as renumbered,
           case when name = $9 then coalesce($8, name) else name end as name,
           $7 is not null and display_phone_number is distinct from $7 or name = $9 and $8 <> $9 as renamed
    from before
)
update channels c set session_revision = $3, session_state = $4, session_cause = $5, session_since = $6,
    display_phone_number = a.phone, first_number = coalesce(c.first_number, a.phone),
    former_number = case when a.renumbered then c.display_phone_number else c.former_number end,
    former_since = case when a.renumbered then c.renumbered_at else c.former_since end,
    renumbered_at = case when a.renumbered then $6 else c.renumbered_at end,
    renumbering = c.renumbering or coalesce(a.renumbered, false), name = a.name,
    revision = c.revision + case when a.renamed then 1 else 0 end
from after a where c.id = a.id returning c.*, coalesce(a.renamed, false) as renamed
"""
_MAX_NAME = 200


class Sessions:
    """Keeps the state of sessions."""

    def __init__(self, database: Database, outbox: Outbox, channels: Channels, sealer: Sealer) -> None:
        self._database = database
        self._outbox = outbox
        self._channels = channels
        self._sealer = sealer

    async def told(self, event: ProviderSession) -> UUID | None:
        """Keep a state; returns the channel that may send now, if any. Raises `Permanent` when it says no state."""
        try:
            told = SessionTold.model_validate(storable(event.value))
        except ValidationError as error:
            raise Permanent(f"no state of a session: {error.errors(include_url=False, include_input=False)}") from error
        async with self._database.worker() as connection:
            row = await connection.fetchrow(
                _TOLD,
                event.channel_id,
                event.workspace_id,
                told.revision,
                told.state,
                told.cause,
                told.since,
                f"+{digits(told.phone)}" if told.phone else None,
                told.name[:_MAX_NAME] if told.name else None,
                CreateSession.model_fields["name"].default,
            )
            events: list[Any] = [updated(row, self._sealer)] if row is not None and row["renamed"] else []
            receipt = await self._outbox.add(connection, events)
        if row is None:
            log.info("session_news_ignored", channel_id=str(event.channel_id), revision=told.revision)
            return None
        self._channels.forget(row["id"])
        await self._outbox.send(receipt)
        log.info("session_told", channel_id=str(row["id"]), state=told.state, revision=told.revision)
        return row["id"] if told.state is SessionState.READY else None
