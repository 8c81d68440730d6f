"""What chat asks of a provider, and the six things it may answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from blazz_chat.channels import Channel
from blazz_chat.failures import Refusal


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A claimed message, ready to be sent."""

    message_id: UUID
    attempt: int
    content: dict[str, Any]
    """A `blazz_contracts.content` model as a dict, with its `type`."""
    phone: str | None
    """Digits."""
    user_id: str | None
    lid: str | None = None
    """WhatsApp Web's hidden id, digits."""
    reply_to: str | None = None
    """The provider's id of the message this one answers."""
    target: str | None = None
    """The provider's id of the message a reaction is put on."""
    provider_media_id: str | None = None
    """The provider's id of our upload, for media by upload."""
    requested_at: datetime | None = None
    started_at: datetime | None = None
    """When this attempt was first claimed."""
    lease_until: datetime | None = None
    """The end of the claim's lease, which tells this claim from a later one of the same attempt."""
    for_number: str | None = None
    """Of a WhatsApp Web session: the number it was accepted for, with `+`; none: any."""
    linked_number: str | None = None
    """The number that was linked when it was claimed, with `+`."""
    handed_before: bool = False
    """Whether this very attempt was handed to a WhatsApp Web session before, or may have been."""

    @property
    def callback_data(self) -> str:
        """What every status of this attempt echoes."""
        return f"{self.message_id}:{self.attempt}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """WhatsApp took it."""

    provider_message_id: str
    wa_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left, and no answer came that we can trust: it may have been sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The request never left: nothing was sent, and no try is burned."""

    reason: str
    perhaps_handed: bool = False
    """Whether it may lie in a WhatsApp Web session's queue all the same."""


@dataclass(frozen=True, slots=True)
class Handed:
    """It lies in the queue of whoever sends it, who does so once; what becomes of it is told by statuses."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Whoever sends it is not there for the moment: nothing was sent, and it waits."""

    wait: float
    """Seconds."""


Outcome = Absent | Accepted | Handed | Refusal | Unknown | Unreachable


class WhatsAppProvider(Protocol):
    """A way into WhatsApp."""

    @property
    def uploads(self) -> bool:
        """Whether files are handed over before the message; else `media_id` goes with it as it is."""

    async def send(self, channel: Channel, message: Outgoing) -> Outcome:
        """Send one message; return within the call's time limit, and never raise for what the provider did."""

    async def upload(self, channel: Channel, media: "MediaSource") -> str | Refusal | Unreachable:
        """Hand a file over; return the provider's id of it."""

    async def reachable(self) -> bool:
        """Tell whether the provider's door answers at all."""


class MediaSource(Protocol):
    """A stored file, read when the provider wants it."""

    @property
    def mime_type(self) -> str:
        """Its type."""

    @property
    def filename(self) -> str:
        """The name the customer sees."""

    async def open(self) -> tuple[int, AsyncIterator[bytes]]:
        """Its size in bytes, at most 100 MB, and its content, a part at a time. Raises `NotFound`, `Unavailable`."""
