"""Settings of campaign, beside those of every service."""

from typing import Self

from blazz_chassis.settings import ServiceSettings
from blazz_contracts.views.campaign import MAX_RECIPIENTS
from pydantic import Field, model_validator


class Settings(ServiceSettings):
    """Environment: `BLAZZ_CAMPAIGN_…`. Times are in seconds."""

    http_port: int = 8002
    campaign_window: int = Field(
        default=1000,
        ge=1,
        description="Recipients of one campaign that are handed over and not yet accepted or refused, at most. About a "
        "second of work for chat: enough to keep it busy, little enough that a pause takes hold.",
    )
    campaign_batch: int = Field(default=200, ge=1, le=1000, description="Recipients handed over at once.")
    campaign_at_once: int = Field(default=20, ge=1, description="Campaigns that one instance sends side by side.")
    campaign_lease: float = Field(
        default=15,
        gt=0,
        description="How long a campaign belongs to the instance that sends it without a sign of life. At least "
        "twice the publish timeout, so that it holds while a batch is published.",
    )
    campaign_poll: float = Field(
        default=0.5, gt=0, description="How often an instance looks for work that it was not told of."
    )
    campaign_page: int = Field(default=1000, ge=1, le=5000, description="Rows of a list frozen in one transaction.")
    campaign_recipients: int = Field(
        default=MAX_RECIPIENTS, ge=1, le=MAX_RECIPIENTS, description="Recipients of one campaign, at most."
    )
    campaign_jobs: int = Field(default=2, ge=1, description="Lists that one instance freezes side by side.")
    campaign_progress: float = Field(default=1, gt=0, description="Shortest time between two tellings of the counts.")
    campaign_outcome_items: int = Field(default=1000, ge=1, description="Most outcomes counted in one transaction.")
    campaign_outcome_wait: float = Field(
        default=0.05,
        ge=0,
        description="How long outcomes wait for company: a transaction counts a thousand as cheaply as ten.",
    )
    campaign_stall: float = Field(
        default=30,
        gt=0,
        description="When nothing has moved for so long, chat is asked whether the channel is stopped.",
    )
    campaign_chat_timeout: float = Field(default=2, gt=0, description="What a question to chat may take.")

    @model_validator(mode="after")
    def _lease_holds(self) -> Self:
        if self.campaign_lease < 2 * self.publish_timeout:
            raise ValueError("BLAZZ_CAMPAIGN_LEASE must be at least twice BLAZZ_PUBLISH_TIMEOUT")
        return self
