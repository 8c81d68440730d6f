"""Webhooks are being taken in."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event, Kind


class WebhooksAlive(Event):
    """The gateway takes webhooks in, and everything that it got before `at` stands before this in the queue.

    A watermark: while it advances without a gap, a send that brought no status within the settle time did not happen.
    Belongs to no tenant: `workspace_id` is the nil UUID.
    """

    name: ClassVar[str] = "webhooks.alive"
    kind: ClassVar[Kind] = Kind.INBOUND

    instance: str = Field(max_length=128, description="The gateway instance.")
    at: AwareDatetime = Field(description="When it was said, UTC.")
    interval: float = Field(
        gt=0, description="Seconds until the next one; a longer gap than three of these is an outage."
    )
