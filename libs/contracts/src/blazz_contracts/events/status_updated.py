"""Messages moved forward."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event
from blazz_contracts.message import MAX_ITEMS, Origin, Status


class UpdatedItem(Contract):
    """One message that moved forward."""

    message_id: UUID
    conversation_id: UUID
    contact_id: UUID
    channel_id: UUID

    status: Status = Field(
        description="delivered, read, played or unconfirmed; sent and failed have events of their own."
    )
    at: AwareDatetime
    origin: Origin


class StatusUpdated(Event):
    """Messages moved forward. Each step is told once, in order, never back."""

    name: ClassVar[str] = "status.updated"

    items: list[UpdatedItem] = Field(min_length=1, max_length=MAX_ITEMS)
