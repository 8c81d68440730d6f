"""A WhatsApp Web session is to send a message."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.content import Content
from blazz_contracts.event import Contract, Event, Kind


class Person(Contract):
    """Whom a WhatsApp Web session writes to: by number, by hidden id, or both."""

    phone: str | None = Field(default=None, pattern=r"^[0-9]{5,20}$", description="Digits.")
    lid: str | None = Field(
        default=None, pattern=r"^[0-9]{1,32}$", description="WhatsApp's hidden id of the person (`…@lid`), digits."
    )


class SessionSend(Event):
    """Send this through one WhatsApp Web session. The same message and attempt are sent once, however often.

    What becomes of it comes back in `provider.status`, with `{message_id}:{attempt}` as its `callback_data`.
    """

    name: ClassVar[str] = "session.send"
    kind: ClassVar[Kind] = Kind.SESSION

    session_id: UUID = Field(description="The session, which is also the id of its channel.")
    message_id: UUID
    attempt: Annotated[int, Field(ge=1)]
    to: Person
    content: Content
    reply_to: str | None = Field(
        default=None, max_length=512, description="WhatsApp's id of the message that this one answers."
    )
    target: str | None = Field(
        default=None, max_length=512, description="WhatsApp's id of the message that a reaction is put on."
    )
    sender_phone: str | None = Field(
        default=None,
        pattern=r"^[0-9]{5,20}$",
        description="The number it was accepted for, digits: while another one is linked it is refused, as "
        "`number_changed`. None: any.",
    )
    requested_at: AwareDatetime = Field(description="When the message was accepted, UTC.")
    expires_at: AwareDatetime | None = Field(
        default=None, description="After this it is not sent any more but fails as expired, UTC."
    )

    def routing_key(self) -> str:
        """Each session has a queue of its own."""
        return str(self.session_id)
