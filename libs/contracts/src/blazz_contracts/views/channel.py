"""Channels (WhatsApp numbers) over HTTP."""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Discriminator, Field, SecretStr, Tag

from blazz_contracts.event import Contract
from blazz_contracts.session import SessionState
from blazz_contracts.views.request import Request, WithoutNul

MetaId = Field(pattern=r"^[0-9]{5,32}$", description="Meta's numeric id.")


_WORD = re.compile(r"[\x21-\x7e]+")


def _word(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not _WORD.fullmatch(text):
        raise ValueError("has a space, a line break or a letter outside ASCII in it: copy it again")
    return SecretStr(text)


Secret = Annotated[SecretStr, Field(min_length=1, max_length=256), AfterValidator(_word)]
"""One of Meta's secrets: printable ASCII, since it goes into HTTP headers; what was copied around it is cut off."""
AccessToken = Annotated[SecretStr, Field(min_length=1, max_length=1024), AfterValidator(_word)]


class ChannelLimits(Contract):
    """What may go out of a channel. None: no limit."""

    messages_per_second: float | None = Field(default=80, gt=0, le=1000, description="Meta's default is 80 a number.")
    pair_seconds: float | None = Field(
        default=6, gt=0, le=3600, description="Seconds a message to one recipient; bursts borrow from later."
    )
    pair_burst: int = Field(default=45, ge=1, le=1000, description="How many may go to one recipient at once.")
    recipients_per_day: int | None = Field(
        default=250, ge=1, description="Unique recipients that the business writes to first, in a moving 24 hours."
    )


class WebLimits(ChannelLimits):
    """What may go out of a WhatsApp Web number: WhatsApp publishes no rates for it, so there are none by default."""

    messages_per_second: float | None = Field(default=None, gt=0, le=1000)
    pair_seconds: float | None = Field(default=None, gt=0, le=3600)
    recipients_per_day: int | None = Field(default=None, ge=1)


class CreateChannel(Request):
    """A WhatsApp number on Meta's Cloud API."""

    provider: Literal["meta"] = "meta"
    name: Annotated[str, Field(min_length=1, max_length=200), WithoutNul]
    phone_number_id: str = MetaId
    waba_id: str = MetaId
    display_phone_number: Annotated[str, Field(max_length=32), WithoutNul] | None = None
    access_token: AccessToken
    app_secret: Secret
    verify_token: Secret
    limits: ChannelLimits = ChannelLimits()


class CreateWebChannel(Request):
    """A number that a WhatsApp Web session serves. Asked by the bridge when it makes the session."""

    provider: Literal["webjs"]
    id: UUID | None = Field(
        default=None, description="The session's id, which becomes the channel's; asking twice makes one channel."
    )
    name: Annotated[str, Field(min_length=1, max_length=200), WithoutNul]
    limits: WebLimits = WebLimits()


def _provider(value: Any) -> str:
    named = value.get("provider", "meta") if isinstance(value, dict) else getattr(value, "provider", "meta")
    return named if named in ("meta", "webjs") else "meta"


AnyChannel = Annotated[
    Annotated[CreateChannel, Tag("meta")] | Annotated[CreateWebChannel, Tag("webjs")], Discriminator(_provider)
]
"""A new channel of either provider; one that names none is Meta's."""


class UpdateChannel(Request):
    """Changes to a channel: what is not named stays."""

    name: Annotated[str, Field(min_length=1, max_length=200), WithoutNul] | None = None
    access_token: AccessToken | None = None
    app_secret: Secret | None = None
    verify_token: Secret | None = None
    limits: ChannelLimits | None = None
    state: Literal["active", "stopped"] | None = Field(
        default=None, description="`active` starts a stopped number again."
    )


class ChannelView(Contract):
    """A channel, without its secrets."""

    id: UUID
    provider: Literal["meta", "webjs"]
    name: str
    phone_number_id: str | None
    waba_id: str | None
    display_phone_number: str | None
    webhook_identifier: str | None = Field(description="The webhook's address is `/webhooks/whatsapp/{identifier}`.")
    state: Literal["active", "stopped"]
    state_reason: str | None = Field(description="Why it is stopped, for the operator.")
    limits: ChannelLimits
    session_state: SessionState | None = Field(
        default=None, description="Of a WhatsApp Web number: where its session stands. It sends in `ready` alone."
    )
    session_cause: str | None = Field(default=None, description="Why the session is in this state, for people.")
    session_since: AwareDatetime | None = Field(default=None, description="When it came into this state.")
    created_at: AwareDatetime
