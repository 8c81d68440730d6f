"""Messages were stored and wait to be sent."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event
from blazz_contracts.message import MAX_ITEMS, Origin


class CreatedItem(Contract):
    """One message that waits to be sent."""

    message_id: UUID
    conversation_id: UUID
    contact_id: UUID
    channel_id: UUID

    type: str = Field(max_length=64)
    content: dict[str, Any] = Field(description="The content as requested.")
    text: str = Field(default="", description="What to show in a list: the text, a caption, or empty.")
    origin: Origin
    created_at: AwareDatetime
    socket_id: str | None = Field(default=None, description="The websocket that caused it.")


class MessageCreated(Event):
    """Messages were stored and wait to be sent. Not told for campaigns, whose progress is told instead."""

    name: ClassVar[str] = "message.created"

    items: list[CreatedItem] = Field(min_length=1, max_length=MAX_ITEMS)
