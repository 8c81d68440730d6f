"""Contacts over HTTP."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract
from blazz_contracts.recipient import Phone, UserId
from blazz_contracts.views.request import Request, WithoutNul


class CreateContact(Request):
    """A new contact. At least one of phone and user_id; one that exists is given back as it is."""

    phone: Phone | None = None
    user_id: UserId | None = None
    name: Annotated[str, Field(max_length=200), WithoutNul] | None = None


class ContactView(Contract):
    """A contact."""

    id: UUID
    name: str | None = Field(description="The name the workspace gave, else the one they gave themselves.")
    phone: str | None = Field(description="International form with `+`.")
    user_id: str | None
    lid: str | None = Field(
        default=None, description="WhatsApp Web's hidden id, digits; of a group its whole id (`…@g.us`)."
    )
    marketing_opt_out: bool
    last_message_at: AwareDatetime | None
    window_closes_at: AwareDatetime | None = Field(
        default=None, description="Until then free-form messages are allowed (24 hours after they last wrote)."
    )
    created_at: AwareDatetime
