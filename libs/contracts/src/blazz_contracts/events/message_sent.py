"""WhatsApp accepted messages."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event
from blazz_contracts.message import MAX_ITEMS, Origin


class SentItem(Contract):
    """One message that WhatsApp accepted."""

    message_id: UUID
    conversation_id: UUID
    contact_id: UUID
    channel_id: UUID

    attempt: int = Field(ge=1)
    provider_message_id: str
    at: AwareDatetime
    origin: Origin


class MessageSent(Event):
    """WhatsApp accepted messages of ours."""

    name: ClassVar[str] = "message.sent"

    items: list[SentItem] = Field(min_length=1, max_length=MAX_ITEMS)
