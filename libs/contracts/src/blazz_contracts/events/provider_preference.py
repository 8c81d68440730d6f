"""A customer stopped or resumed marketing."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event, Kind


class ProviderPreference(Event):
    """A customer stopped or resumed marketing messages (`user_preferences`)."""

    name: ClassVar[str] = "provider.preference"
    kind: ClassVar[Kind] = Kind.INBOUND

    channel_id: UUID | None = Field(default=None, description="The number it concerns, where it names one of ours.")
    field: str = Field(max_length=128, description="The webhook's `field`, or the bridge's name for it.")
    value: dict[str, Any] = Field(description="The provider's own object, whole.")
    received_at: AwareDatetime = Field(description="When we got it, UTC.")
