"""Whom a message is for."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from blazz_contracts.complaint import PHONE
from blazz_contracts.event import Contract

Phone = Annotated[
    str,
    Field(pattern=r"^\+?[0-9]{5,20}$", description="Phone number in international form, with or without `+`."),
    PHONE,
]
UserId = Annotated[
    str,
    Field(
        pattern=r"^[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}$",
        description="WhatsApp's business-scoped user id (`CC.`, up to 128 alphanumerics), for unknown numbers.",
    ),
]


class Recipient(Contract):
    """Exactly one way to name the person: a contact we know, a phone number, or a business-scoped user id."""

    contact_id: UUID | None = Field(default=None, description="A contact of the workspace.")
    phone: Phone | None = None
    user_id: UserId | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        """Refuse a recipient named twice or not at all."""
        named = [name for name in ("contact_id", "phone", "user_id") if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError("name exactly one of contact_id, phone, user_id")
        return self
