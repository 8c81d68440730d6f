"""A message was edited or taken back by who wrote it."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event


class MessageChanged(Event):
    """A message that was told of before was edited or taken back (revoked) by who wrote it."""

    name: ClassVar[str] = "message.changed"

    message_id: UUID
    conversation_id: UUID
    contact_id: UUID
    channel_id: UUID
    change: Literal["edited", "revoked"]
    content: dict[str, Any] = Field(description="The message's content as it is now.")
    text: str = Field(description="What people see of it now.")
    at: AwareDatetime = Field(description="When it was changed, by WhatsApp's clock.")
