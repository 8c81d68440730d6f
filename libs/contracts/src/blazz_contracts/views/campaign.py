"""Campaigns over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from blazz_contracts.content import Template
from blazz_contracts.event import Contract
from blazz_contracts.events.campaign_progress import CampaignCounts
from blazz_contracts.message import Failure, Status
from blazz_contracts.recipient import Phone
from blazz_contracts.views.request import NotBlank, Request

MAX_RECIPIENTS = 100_000
CampaignState = Literal["draft", "scheduled", "freezing", "sending", "paused", "completed", "cancelled", "failed"]


class CampaignRecipient(Request):
    """One person of the list. `variables` fill `{{name}}` in the text or in the template's parameters."""

    phone: Phone
    variables: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=1024)]] = Field(
        default={}, max_length=50
    )


class CampaignText(Request):
    """A text with `{{variable}}` places."""

    body: Annotated[str, Field(min_length=1, max_length=4096), NotBlank]
    preview_url: bool = False


class CreateCampaign(Request):
    """A message to many. Exactly one of text and template; recipients as a list or as CSV with a header row."""

    name: str = Field(min_length=1, max_length=200)
    channel_id: UUID
    recipients: list[CampaignRecipient] | None = Field(default=None, min_length=1, max_length=MAX_RECIPIENTS)
    csv: str | None = Field(
        default=None, min_length=1, max_length=20_000_000, description="Column `phone`; the others are variables."
    )
    text: CampaignText | None = None
    template: Template | None = None
    start: bool = Field(default=True, description="False leaves it a draft until `POST …/start`.")

    @model_validator(mode="after")
    def exactly_one_each(self) -> Self:
        """Refuse two lists or none, two contents or none."""
        if (self.recipients is None) == (self.csv is None):
            raise ValueError("name exactly one of recipients, csv")
        if (self.text is None) == (self.template is None):
            raise ValueError("name exactly one of text, template")
        return self


class InvalidRow(Contract):
    """A row of the list that was refused."""

    row: int = Field(ge=1, description="Counted from 1; in CSV the header is row 1.")
    reason: str = Field(max_length=300)


class CampaignView(Contract):
    """A campaign and how far it is."""

    id: UUID
    name: str
    channel_id: UUID
    state: CampaignState
    state_reason: str | None = None
    counts: CampaignCounts
    duplicates: int = Field(description="Rows of the list that named a number again; each number gets one message.")
    invalid: int = Field(description="Rows of the list that named no possible number.")
    invalid_rows: list[InvalidRow] = Field(default=[], description="The first 100 of them, with the reason.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None


class RecipientView(Contract):
    """One recipient of a campaign."""

    id: UUID
    phone: str
    message_id: UUID | None
    state: Literal["queued", "requested", "cancelled"] | Status
    failure: Failure | None
    updated_at: AwareDatetime
