"""WhatsApp told how messages of ours fare."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event, Kind
from blazz_contracts.message import MAX_ITEMS


class StatusItem(Contract):
    """One status of one message."""

    provider_message_id: str = Field(min_length=1, max_length=512, description="WhatsApp's id of the message.")
    status: str = Field(
        max_length=32,
        description="sent, delivered, read, played or failed; from WhatsApp Web also `returned`: it never left.",
    )
    at: AwareDatetime = Field(description="When, by WhatsApp's clock (whole seconds).")
    callback_data: str | None = Field(
        default=None,
        max_length=512,
        description="`{message_id}:{attempt}`, as we sent it in `biz_opaque_callback_data`.",
    )
    recipient_phone: str | None = Field(default=None, max_length=32)
    recipient_user_id: str | None = Field(default=None, max_length=160)
    errors: list[dict[str, Any]] = Field(
        default=[], description="Meta's error objects, with `code`, `title`, `error_data`."
    )
    pricing: dict[str, Any] | None = Field(default=None, description="Meta's `pricing` object.")
    conversation: dict[str, Any] | None = Field(
        default=None, description="Meta's `conversation` object, where it still comes."
    )


class ProviderStatus(Event):
    """Statuses of one channel, 1 to 500."""

    name: ClassVar[str] = "provider.status"
    kind: ClassVar[Kind] = Kind.INBOUND

    channel_id: UUID
    items: list[StatusItem] = Field(min_length=1, max_length=MAX_ITEMS)
