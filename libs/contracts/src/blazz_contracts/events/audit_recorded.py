"""Somebody did something that must be remembered."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event


class AuditRecorded(Event):
    """Somebody did something that must be remembered. The gateway keeps the log for all services."""

    name: ClassVar[str] = "audit.recorded"

    action: str = Field(max_length=128, description="Such as `channel.created`.")
    actor_kind: str = Field(max_length=32)
    actor_id: UUID | None = None
    target_kind: str = Field(max_length=64)
    target_id: str = Field(max_length=128)
    data: dict[str, Any] = Field(default={}, description="What changed; never a secret.")
    at: AwareDatetime
