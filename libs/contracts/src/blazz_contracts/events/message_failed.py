"""Messages failed for good."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event
from blazz_contracts.message import MAX_ITEMS, Failure, Origin


class FailedItem(Contract):
    """One message that failed for good. Conversation and contact are missing when it was refused before it had any."""

    message_id: UUID
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    channel_id: UUID | None = None
    attempt: int = Field(ge=0, description="How often it was tried; 0: refused before the first try.")
    at: AwareDatetime
    failure: Failure
    origin: Origin


class MessageFailed(Event):
    """Messages failed for good: a retry is a new message that names the old one."""

    name: ClassVar[str] = "message.failed"

    items: list[FailedItem] = Field(min_length=1, max_length=MAX_ITEMS)
