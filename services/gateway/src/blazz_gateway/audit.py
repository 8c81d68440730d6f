"""The audit log of all services: who did what, when. The others tell of it by `audit.recorded`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection, Database
from blazz_chassis.ids import uuid7
from blazz_contracts import Envelope
from blazz_contracts.events import AuditRecorded

from blazz_gateway.actor import Actor

_INSERT = """
insert into audit_log (id, workspace_id, action, actor_kind, actor_id, target_kind, target_id, data, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, now())) on conflict (id) do nothing
"""
_PAGE = """
select id, action, actor_kind, actor_id, target_kind, target_id, data, at from audit_log
where workspace_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or action = $3)
order by id desc limit $4
"""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Somebody did something."""

    id: UUID
    action: str
    actor_kind: str
    actor_id: UUID | None
    target_kind: str
    target_id: str
    data: dict[str, Any]
    at: datetime


async def note(
    connection: Connection,
    workspace_id: UUID,
    *,
    action: str,
    actor_kind: str,
    target_kind: str,
    target_id: str,
    actor_id: UUID | None = None,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    entry_id: UUID | None = None,
) -> None:
    """Write an entry in the transaction of what it tells of. `data` never holds a secret."""
    await connection.execute(
        _INSERT, entry_id or uuid7(), workspace_id, action, actor_kind, actor_id, target_kind, target_id, data or {}, at
    )


async def did(connection: Connection, actor: Actor, action: str, kind: str, target: UUID, data: dict[str, Any]) -> None:
    """Write that an actor did something in their workspace."""
    await note(
        connection,
        actor.workspace_id,
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        target_kind=kind,
        target_id=str(target),
        data=data,
    )


class AuditLog:
    """Reads the log, and writes what happens in no transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, workspace_id: UUID, **entry: Any) -> None:
        """Write one entry; see `note`."""
        async with self._database.api(workspace_id) as connection:
            await note(connection, workspace_id, **entry)

    async def keep(self, event: AuditRecorded, envelope: Envelope) -> None:
        """Write what another service told; a redelivery changes nothing."""
        async with self._database.worker() as connection:
            await note(
                connection,
                event.workspace_id,
                action=event.action,
                actor_kind=event.actor_kind,
                actor_id=event.actor_id,
                target_kind=event.target_kind,
                target_id=event.target_id,
                data=event.data,
                at=event.at,
                entry_id=envelope.message_id,
            )

    async def page(
        self, workspace_id: UUID, *, before: UUID | None, action: str | None, limit: int
    ) -> tuple[list[AuditEntry], UUID | None]:
        """Entries, newest first, and the id to continue before."""
        async with self._database.api(workspace_id) as connection:
            rows = await connection.fetch(_PAGE, workspace_id, before, action, limit + 1)
        entries = [AuditEntry(**row) for row in rows[:limit]]
        return entries, entries[-1].id if len(rows) > limit else None
