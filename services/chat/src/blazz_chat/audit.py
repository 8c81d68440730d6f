"""What the gateway's audit log is told."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_contracts.events import AuditRecorded


def recorded(
    context: WorkspaceContext, action: str, target_kind: str, target_id: UUID, data: dict[str, Any]
) -> AuditRecorded:
    """Somebody did this to a channel or a template."""
    return AuditRecorded(
        workspace_id=context.workspace_id,
        action=action,
        actor_kind=context.actor_kind,
        actor_id=context.actor_id,
        target_kind=target_kind,
        target_id=str(target_id),
        data=data,
        at=datetime.now(UTC),
    )
