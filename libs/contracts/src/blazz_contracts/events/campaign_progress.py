"""A campaign moved on."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract, Event


class CampaignCounts(Contract):
    """Recipients by how far they came. Each recipient is in exactly one, so that they add up to `total`."""

    total: int = Field(ge=0)
    queued: int = Field(ge=0, description="Not yet handed over.")
    requested: int = Field(ge=0, description="Handed over, not yet accepted by WhatsApp.")
    sent: int = Field(ge=0)
    delivered: int = Field(ge=0)
    read: int = Field(ge=0)
    failed: int = Field(ge=0)
    unconfirmed: int = Field(ge=0)
    cancelled: int = Field(ge=0)


class CampaignProgress(Event):
    """How far a campaign is: at each change of state, and at most once a second while it runs."""

    name: ClassVar[str] = "campaign.progress"

    campaign_id: UUID
    display_name: str
    state: str = Field(description="draft, scheduled, freezing, sending, paused, completed, cancelled or failed.")
    counts: CampaignCounts
    at: AwareDatetime
