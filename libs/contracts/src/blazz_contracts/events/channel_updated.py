"""A channel was created, changed or deleted."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from blazz_contracts.event import Event


class ChannelUpdated(Event):
    """A channel (a WhatsApp number) was created, changed or deleted, or stopped by WhatsApp.

    Told by chat; the gateway verifies webhooks by it.
    """

    name: ClassVar[str] = "channel.updated"

    channel_id: UUID
    revision: int = Field(ge=1, description="Grows with each change; an older one is ignored.")
    provider: Literal["meta", "webjs"]
    display_name: str
    phone_number_id: str | None = Field(default=None, description="Meta's id of the number.")
    waba_id: str | None = Field(default=None, description="Meta's id of the WhatsApp business account.")
    webhook_identifier: str | None = Field(default=None, description="The last part of the webhook's address.")
    sealed_webhook_secrets: str | None = Field(
        default=None, description="JSON `{app_secret, verify_token}`, sealed with the key that chat and gateway share."
    )
    deleted: bool = False
    state: Literal["active", "stopped"] | None = Field(
        default=None, description="Whether it sends; none: told by a version that did not say."
    )
    state_reason: str | None = Field(default=None, description="Why it is stopped, for people.")
