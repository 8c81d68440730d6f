"""A message is to be sent."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.content import Content
from blazz_contracts.event import Event, Kind
from blazz_contracts.message import Lane, Origin
from blazz_contracts.recipient import Recipient


class MessageRequested(Event):
    """Send this message. One per recipient; chat stores it under `message_id`, so that asking twice sends once."""

    name: ClassVar[str] = "message.requested"
    kind: ClassVar[Kind] = Kind.COMMAND

    message_id: UUID = Field(description="UUIDv7 chosen by who requests it; the message's id everywhere.")
    channel_id: UUID | None = Field(
        default=None, description="The number to send from; none: the contact's last, else the workspace's default."
    )
    to: Recipient
    content: Content
    lane: Lane = Lane.NORMAL
    reply_to: UUID | None = Field(default=None, description="The message this one answers, in the same conversation.")
    retry_of: UUID | None = Field(
        default=None, description="The failed message that a person or a campaign sends anew."
    )
    origin: Origin
    requested_at: AwareDatetime = Field(description="When the request was accepted, UTC.")
    socket_id: str | None = Field(
        default=None, max_length=64, description="The websocket that caused it; it is not told of its own message."
    )

    def routing_key(self) -> str:
        """Lanes are queues of their own."""
        return f"{self.name}.{self.lane}"
