"""A WhatsApp Web session changed."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event, Kind
from blazz_contracts.session import SessionState


class SessionTold(Contract):
    """The `value` of the field `state`: where a session stands."""

    state: SessionState
    cause: str | None = Field(default=None, max_length=500, description="Why, for people.")
    since: AwareDatetime = Field(description="When it came into this state, UTC.")
    revision: int = Field(ge=1, description="Grows with each change; an older one is late news.")
    phone: str | None = Field(default=None, max_length=32, description="The linked number, digits.")
    lid: str | None = Field(default=None, max_length=32, description="The linked account's hidden id, digits.")
    name: str | None = Field(default=None, max_length=512, description="The linked account's name.")


class ProviderSession(Event):
    """A WhatsApp Web session changed its state."""

    name: ClassVar[str] = "provider.session"
    kind: ClassVar[Kind] = Kind.INBOUND

    channel_id: UUID | None = Field(default=None, description="The number it concerns, where it names one of ours.")
    field: str = Field(max_length=128, description="The webhook's `field`, or the bridge's name for it.")
    value: dict[str, Any] = Field(description="The provider's own object, whole; of `state` a `SessionTold`.")
    received_at: AwareDatetime = Field(description="When we got it, UTC.")
