"""What calls and facts have in common: people, messages, stream modes, as our script in the page says them."""

from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Word(BaseModel):
    """Something the page says. Unknown fields are passed over: WhatsApp adds some every week."""

    model_config = ConfigDict(extra="ignore", frozen=True)


MessageId = Annotated[str, Field(min_length=1, max_length=512)]
"""A full WhatsApp Web key: `{true|false}_{chat}_{hex}`, with `_{author}` behind it in groups."""


class Ack(IntEnum):
    """How far a message of ours has come, as wa-js counts. Found with `CLOCK`, it has not left yet."""

    FAILED = -1
    CLOCK = 0
    SENT = 1
    DELIVERED = 2
    READ = 3
    PLAYED = 4


class Mode(StrEnum):
    """WhatsApp Web's stream modes, as `conn.stream_mode_changed` says them."""

    QR = "QR"
    MAIN = "MAIN"
    SYNCING = "SYNCING"
    OFFLINE = "OFFLINE"
    CONFLICT = "CONFLICT"
    PROXYBLOCK = "PROXYBLOCK"
    TOS_BLOCK = "TOS_BLOCK"
    SMB_TOS_BLOCK = "SMB_TOS_BLOCK"
    DEPRECATED_VERSION = "DEPRECATED_VERSION"


class Somebody(Word):
    """A person, by the ids that WhatsApp Web has for them."""

    chat: str = Field(max_length=128, description="The id of the chat with them, `…@lid` or `…@c.us`.")
    phone: str | None = Field(default=None, max_length=32, description="Digits, where known.")
    lid: str | None = Field(default=None, max_length=32, description="Digits of the hidden id, where known.")
    name: str | None = Field(default=None, max_length=512, description="The name they gave themselves.")


class File(Word):
    """A file of a message."""

    mime_type: str = Field(default="application/octet-stream", max_length=255)
    filename: str | None = Field(default=None, max_length=512)
    size: int | None = Field(default=None, ge=0, description="Bytes.")
    sha256: str | None = Field(default=None, max_length=128)
    seconds: float | None = Field(default=None, description="Length of a sound or video.")
    voice: bool = Field(default=False, description="A voice message (push to talk).")
    animated: bool = Field(default=False, description="Of a sticker.")


class Reaction(Word):
    """An emoji that somebody else has put on a message."""

    id: MessageId = Field(description="Of the reaction itself.")
    emoji: str = Field(max_length=64)
    person: Somebody
    at: int = Field(ge=0, description="Seconds since 1970, by WhatsApp's clock.")


class WebMessage(Word):
    """A message as the page shows it, brought into one shape whatever its type."""

    id: MessageId
    from_me: bool = Field(description="Written by the linked account, here or on another of its devices.")
    ours: bool = Field(default=False, description="Sent by this very page.")
    person: Somebody = Field(description="Whom it was written by, or with `from_me` to. In a group: the author.")
    group: str | None = Field(default=None, max_length=128, description="`…@g.us`, when it was written in a group.")
    type: str = Field(
        max_length=64,
        description="As the Cloud API says it: text, image, video, audio, document, sticker, location, contacts, "
        "reaction; `unsupported` for what has no such name, with `raw_type`.",
    )
    raw_type: str | None = Field(default=None, max_length=64, description="WhatsApp Web's own word for the type.")
    text: str | None = Field(default=None, max_length=65_536, description="The text, or the caption.")
    content: dict[str, Any] = Field(
        default={}, description="location `{latitude, longitude, name, address}`, contacts `{contacts: [{vcard, …}]}`."
    )
    file: File | None = None
    quoted: MessageId | None = Field(default=None, description="The message that this one answers.")
    forwarded: bool = False
    ack: int | None = Field(default=None, description="Of `from_me`: see `Ack`; lower than -1 is failed too.")
    at: int = Field(ge=0, description="Seconds since 1970, by WhatsApp's clock.")
    edited_at: int | None = Field(
        default=None, description="In the history: when its text was last changed, by its writer's clock."
    )
    reactions: list[Reaction] = Field(
        default=[], max_length=2000, description="In the history: what others put on it since then."
    )
