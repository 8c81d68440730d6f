"""A customer wrote, and it is stored."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event


class MessageReceived(Event):
    """A message from a customer (or written on the business's own phone) was stored in its conversation."""

    name: ClassVar[str] = "message.received"

    message_id: UUID
    conversation_id: UUID
    contact_id: UUID
    channel_id: UUID

    provider_message_id: str
    direction: Literal["inbound", "outbound"] = Field(description="outbound: written on the business's own phone.")
    type: str = Field(max_length=64)
    content: dict[str, Any] = Field(description="The provider's own object for that type.")
    text: str = Field(default="", description="What to show in a list: the text, a caption, or empty.")
    contact_name: str | None = None
    sent_at: AwareDatetime = Field(description="By WhatsApp's clock.")
    created_at: AwareDatetime = Field(description="When it was stored.")
