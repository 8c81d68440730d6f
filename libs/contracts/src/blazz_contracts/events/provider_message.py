"""A customer wrote."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event, Kind


class ProviderMessage(Event):
    """A message that a provider brought us: from a customer, or written by the business on its own phone (an echo)."""

    name: ClassVar[str] = "provider.message"
    kind: ClassVar[Kind] = Kind.INBOUND

    channel_id: UUID = Field(description="The number it came to.")
    provider_message_id: str = Field(
        min_length=1, max_length=512, description="WhatsApp's id (wamid, or the Web key). Duplicates are dropped by it."
    )
    echo: bool = Field(default=False, description="True when the business wrote it on its own phone.")
    phone: str | None = Field(
        default=None, max_length=32, description="The customer's number, digits only; missing where WhatsApp hides it."
    )
    user_id: str | None = Field(default=None, max_length=160, description="The customer's business-scoped user id.")
    lid: str | None = Field(
        default=None, max_length=32, description="WhatsApp Web's hidden id of the customer (`…@lid`), digits."
    )
    profile_name: str | None = Field(default=None, max_length=512, description="The name the customer gave themselves.")
    sent_at: AwareDatetime = Field(description="When it was written, by WhatsApp's clock.")
    type: str = Field(
        min_length=1,
        max_length=64,
        description="WhatsApp's type: text, image, order, …; ones we do not know are kept too. From WhatsApp Web also: "
        "`edit` and `revoke` of an earlier message (`content.message_id`), `call`.",
    )
    content: dict[str, Any] = Field(description="The provider's own object for that type, whole.")
    context: dict[str, Any] | None = Field(
        default=None, description="What it answers or was forwarded from, the provider's own object."
    )
    extra: dict[str, Any] = Field(default={}, description="What else the provider said of it: referral, errors, ….")
