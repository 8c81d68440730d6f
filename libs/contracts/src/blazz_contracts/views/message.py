"""Messages over HTTP."""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.content import Content
from blazz_contracts.event import Contract
from blazz_contracts.message import Failure, Origin, Status
from blazz_contracts.recipient import Recipient


class CheckMessage(Contract):
    """May this be sent? Asked by the gateway before it accepts a request (`POST /internal/messages/check`)."""

    channel_id: UUID | None = None
    to: Recipient
    content: Content
    reply_to: UUID | None = None


class CheckedMessage(Contract):
    """It may. Refusals: 404 contact, channel, reply_to, upload; 409 channel stopped; 422 window closed, a type
    that a WhatsApp Web number does not send.

    That a customer has stopped marketing messages refuses what a campaign sends, when it is stored: what a person or a
    program sends one by one may be of another kind, which chat cannot tell; WhatsApp refuses marketing to them itself.
    """

    channel_id: UUID
    contact_id: UUID | None = Field(description="None: the contact is made when the message is stored.")


class AttemptView(Contract):
    """One try at sending."""

    number: int
    started_at: AwareDatetime
    finished_at: AwareDatetime | None
    outcome: Literal["sent", "failed", "unsettled"] | None
    provider_message_id: str | None
    failure: Failure | None


class MessageView(Contract):
    """A message."""

    id: UUID
    conversation_id: UUID | None
    contact_id: UUID | None
    channel_id: UUID | None
    direction: Literal["inbound", "outbound"]
    type: str
    content: dict[str, Any]
    text: str = Field(description="What to show in a list: the text, a caption, or empty.")
    status: Status | Literal["received"]
    waits_for: str | None = Field(
        default=None,
        description="Why a pending one waits: rate, pair, tier, retry, session_offline, earlier_message, "
        "channel_stopped.",
    )
    provider_message_id: str | None
    reply_to: UUID | None
    origin: Origin | None
    failure: Failure | None
    created_at: AwareDatetime
    sent_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    read_at: AwareDatetime | None
    edited_at: AwareDatetime | None = Field(default=None, description="When who wrote it changed its text.")
    revoked_at: AwareDatetime | None = Field(default=None, description="When who wrote it took it back.")
    attempts: list[AttemptView] = Field(default=[], description="Each try at sending, first one first.")
