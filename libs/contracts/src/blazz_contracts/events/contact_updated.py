"""A contact was created or changed."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from blazz_contracts.event import Event


class ContactUpdated(Event):
    """A contact was created or changed."""

    name: ClassVar[str] = "contact.updated"

    contact_id: UUID
    created: bool = Field(description="True when it is new.")
    display_name: str | None = None
    phone: str | None = Field(default=None, description="International form with `+`.")
    user_id: str | None = None
    marketing_opt_out: bool = False
