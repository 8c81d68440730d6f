"""WhatsApp Web sessions over HTTP."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from blazz_contracts.complaint import PHONE
from blazz_contracts.event import Contract
from blazz_contracts.session import SessionState
from blazz_contracts.views.request import Request, WithoutNul

NOTICE = "WhatsApp's terms do not allow unofficial clients: a number linked this way can be blocked by WhatsApp."
SessionName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), WithoutNul]


class Pacing(Request):
    """How human a session writes. By default as fast as WhatsApp Web takes it."""

    shortest_pause: float = Field(default=0, ge=0, le=600, description="Seconds between two messages, at least.")
    longest_pause: float = Field(
        default=0, ge=0, le=600, description="Seconds between two messages, at most; drawn anew for each message."
    )
    typing: bool = Field(default=False, description="Show `typing ...` for as long as a person would type the text.")

    @model_validator(mode="after")
    def _from_short_to_long(self) -> Self:
        if self.shortest_pause > self.longest_pause:
            raise ValueError("shortest_pause must not be longer than longest_pause")
        return self


class SessionOptions(Request):
    """What a session does beside sending and receiving."""

    groups: bool = Field(default=False, description="Take in what is written in groups.")
    take_over: bool = Field(
        default=False, description="Take the session back when WhatsApp Web is opened elsewhere with the same device."
    )
    reject_calls: bool = Field(default=False, description="Refuse calls; the conversation shows them in any case.")
    pacing: Pacing = Pacing()


class CreateSession(Request):
    """A new WhatsApp Web session, and the channel (number) it belongs to."""

    name: SessionName = "WhatsApp Web"
    options: SessionOptions = SessionOptions()


class ChangedOptions(Request):
    """Other options: what is not named stays."""

    groups: bool | None = None
    take_over: bool | None = None
    reject_calls: bool | None = None
    pacing: Pacing | None = Field(default=None, description="As a whole.")

    def over(self, options: SessionOptions) -> SessionOptions:
        """The options as they are after this change."""
        return options.model_copy(update={name: getattr(self, name) for name in self.named})

    @property
    def named(self) -> set[str]:
        """What is to change."""
        return {name for name in self.model_fields_set if getattr(self, name) is not None}


class UpdateSession(Request):
    """Changes to a session: what is not named stays."""

    name: SessionName | None = Field(default=None, description="Also its number's.")
    options: ChangedOptions | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.name is None and self.options is None:
            raise ValueError("name what is to change: name, options or both")
        return self


class PairSession(Request):
    """Ask for a pairing code, to be typed into the phone in place of scanning."""

    phone: Annotated[
        str, Field(pattern=r"^\+?[0-9]{7,15}$", description="The phone to link, in international form."), PHONE
    ]


class SessionView(Contract):
    """A session as it is now."""

    id: UUID = Field(description="Also the id of its channel.")
    state: SessionState
    cause: str | None = Field(description="Why it is in this state.")
    since: AwareDatetime
    revision: int = Field(description="Grows with each change.")
    phone: str | None = Field(description="The linked number, with `+`.")
    name: str | None = Field(description="As it was given; its number in `/channels` has the same.")
    account_name: str | None = Field(
        default=None, description="The name of the linked account, as its owner gave it to WhatsApp."
    )
    instance: str | None = Field(description="The instance of the bridge that runs it.")
    pairing_code: str | None = Field(
        default=None,
        description="To be typed into the phone, in `pairing`. Whoever has it can link a phone: null without the right "
        "to change sessions (`channels:write`).",
    )
    pairing_code_expires_at: AwareDatetime | None = Field(
        default=None, description="From then on it does not work; the page then shows another, or none."
    )
    restarts: int = Field(description="Restarts since it was last ready; after too many an alarm is raised.")
    memory_bytes: int | None = Field(description="What its browser holds now.")
    heard_at: AwareDatetime | None = Field(description="When the page was last heard from.")
    options: SessionOptions
    created_at: AwareDatetime
    notice: str = Field(default=NOTICE, description="What whoever links a session must know.")


class QrView(Contract):
    """The code to scan now."""

    session_id: UUID
    code: str = Field(description="What the QR code says.")
    revision: int = Field(description="Grows with each new code.")
    made_at: AwareDatetime
    expires_at: AwareDatetime = Field(
        description="From then on this code does not work: ask for the next one. WhatsApp changes it after 60 seconds "
        "the first time, and after 20 each later time."
    )
    image: str = Field(description="The picture, a `data:image/png` address.")
