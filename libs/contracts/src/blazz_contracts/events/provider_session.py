"""A WhatsApp Web session changed."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event, Kind


class ProviderSession(Event):
    """A WhatsApp Web session changed its state."""

    name: ClassVar[str] = "provider.session"
    kind: ClassVar[Kind] = Kind.INBOUND

    channel_id: UUID | None = Field(default=None, description="The number it concerns, where it names one of ours.")
    field: str = Field(max_length=128, description="The webhook's `field`, or the bridge's name for it.")
    value: dict[str, Any] = Field(description="The provider's own object, whole.")
    received_at: AwareDatetime = Field(description="When we got it, UTC.")
