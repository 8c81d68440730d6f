"""What the page tells by itself. One model for each fact; `FACT` reads one from what our script sends."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from blazz_webjs_bridge.page.words import MessageId, Mode, Somebody, WebMessage, Word


class QrShown(Word):
    """A new code is to be scanned; earlier ones are worth nothing."""

    kind: Literal["qr"] = "qr"
    code: str = Field(max_length=2048)
    seconds: float | None = Field(default=None, gt=0, le=3600, description="How long it works from now, by the page.")


class QrIdle(Word):
    """The page stopped making codes; ask it for a new one."""

    kind: Literal["qr_idle"] = "qr_idle"


class PairingCodeShown(Word):
    """A code to be typed into the phone."""

    kind: Literal["pairing_code"] = "pairing_code"
    code: str = Field(max_length=32)
    seconds: float | None = Field(
        default=None, gt=0, le=3600, description="How long it works from now; wa-js asks for a new one then."
    )


class PairingEnded(Word):
    """The pairing code is worth nothing any more."""

    kind: Literal["pairing_ended"] = "pairing_ended"
    reason: Literal["expired", "error"]
    detail: str | None = Field(default=None, max_length=500)


class ModeChanged(Word):
    """The page's connection changed its mode."""

    kind: Literal["mode"] = "mode"
    mode: Mode | str = Field(union_mode="left_to_right")


class Linked(Word):
    """A phone has linked the page; chats are being loaded."""

    kind: Literal["linked"] = "linked"


class Ready(Word):
    """Chats are there: messages come and go."""

    kind: Literal["ready"] = "ready"
    me: Somebody
    version: str | None = Field(default=None, max_length=64, description="Of WhatsApp Web.")


class LoggedOut(Word):
    """The phone, or WhatsApp, removed the device."""

    kind: Literal["logged_out"] = "logged_out"
    reason: str | None = Field(default=None, max_length=200)


class BackendFailed(Word):
    """The page says that something below it broke, such as `storage_initialization_error`."""

    kind: Literal["backend"] = "backend"
    name: str = Field(max_length=200)
    detail: dict[str, Any] = Field(default={})


class Arrived(Word):
    """A message came, or was written on another device of the account, or was found in the history."""

    kind: Literal["message"] = "message"
    message: WebMessage


class AckChanged(Word):
    """Messages of ours came further."""

    kind: Literal["ack"] = "ack"
    ids: list[MessageId] = Field(min_length=1, max_length=1000)
    chat: str = Field(max_length=128)
    ack: int
    at: int | None = Field(default=None, description="Seconds since 1970.")


class Edited(Word):
    """Who wrote a message changed its text."""

    kind: Literal["edited"] = "edited"
    id: MessageId
    message: WebMessage = Field(description="The message as it is now.")
    at: int = Field(description="Seconds since 1970.")


class Revoked(Word):
    """Who wrote a message took it back."""

    kind: Literal["revoked"] = "revoked"
    id: MessageId
    person: Somebody
    from_me: bool
    group: str | None = None
    at: int = Field(description="Seconds since 1970.")


class Reacted(Word):
    """Somebody put an emoji on a message; an empty one takes it back."""

    kind: Literal["reacted"] = "reacted"
    id: MessageId = Field(description="Of the reaction itself.")
    target: MessageId
    emoji: str = Field(max_length=64)
    person: Somebody
    from_me: bool
    group: str | None = None
    at: int = Field(description="Seconds since 1970.")


class Called(Word):
    """Somebody calls."""

    kind: Literal["called"] = "called"
    id: str = Field(max_length=256)
    person: Somebody
    video: bool = False
    group: bool = False
    at: int = Field(description="Seconds since 1970.")


class Alive(Word):
    """The page's own heartbeat, each second or two; a frozen page has none."""

    kind: Literal["alive"] = "alive"
    online: bool
    authenticated: bool
    mode: str | None = None
    pending: int = Field(default=0, ge=0, description="Sends under way in the page.")


Fact = Annotated[
    QrShown
    | QrIdle
    | PairingCodeShown
    | PairingEnded
    | ModeChanged
    | Linked
    | Ready
    | LoggedOut
    | BackendFailed
    | Arrived
    | AckChanged
    | Edited
    | Revoked
    | Reacted
    | Called
    | Alive,
    Field(discriminator="kind"),
]
FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
