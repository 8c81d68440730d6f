"""What we may ask of the page. One model a call: its arguments, what it answers, how long it may take."""

from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import Field, TypeAdapter

from blazz_webjs_bridge.page.words import MessageId, Somebody, WebMessage, Word

A = TypeVar("A")


class Call(Word, Generic[A]):
    """One question to our script, by its name there."""

    name: ClassVar[str]
    answer: ClassVar[TypeAdapter[Any]]
    within: ClassVar[float] = 10.0
    """Seconds that the page may take."""
    reloads: ClassVar[bool] = False
    """WhatsApp Web loads itself anew when it has done this: that is an answer, too."""


class Page(Protocol):
    """A page that answers calls."""

    async def call(self, call: Call[A], *, within: float | None = None) -> A:
        """Ask it; `within` seconds, else the call's own. Raises `PageError`."""


class PageState(Word):
    """What the page is now."""

    injected: bool
    ready: bool = Field(description="wa-js found WhatsApp's modules.")
    authenticated: bool
    main_ready: bool = Field(description="Chats are there.")
    mode: str | None = None
    online: bool
    qr: str | None = Field(default=None, max_length=2048)
    me: Somebody | None = None
    version: str | None = Field(default=None, max_length=64, description="Of WhatsApp Web.")
    wa_js: str | None = Field(default=None, max_length=64, description="Of wa-js.")
    missing: list[str] = Field(default=[], description="Functions and events our script needs that wa-js lacks.")


class Found(Word):
    """A message of ours that the page knows."""

    id: MessageId
    ack: int


class Sent(Word):
    """What became of a send: its id as the page has it, and how far it came when the page answered."""

    id: MessageId
    ack: int


class State(Call[PageState]):
    """What the page is now."""

    name = "state"
    answer = TypeAdapter(PageState)


class RefreshQr(Call[None]):
    """Make a new code to scan."""

    name = "refreshQr"
    answer = TypeAdapter(None)


class Pair(Call[str]):
    """Start pairing by code with this phone; answers the code."""

    name = "pair"
    answer = TypeAdapter(str)
    within = 30.0
    phone: str = Field(description="Digits.")


class Logout(Call[None]):
    """Remove this device from the account."""

    name = "logout"
    answer = TypeAdapter(None)
    within = 20.0
    reloads = True


class TakeOver(Call[None]):
    """Use WhatsApp Web here, after CONFLICT."""

    name = "takeOver"
    answer = TypeAdapter(None)


class FindPerson(Call["Somebody | None"]):
    """Who has this number or hidden id; None when it is not on WhatsApp."""

    name = "findPerson"
    answer = TypeAdapter(Somebody | None)
    phone: str | None = None
    lid: str | None = None


class FindMessage(Call["Found | None"]):
    """A message of ours by its full key, also one sent before the page was last loaded; None when it is not there."""

    name = "findMessage"
    answer = TypeAdapter(Found | None)
    id: MessageId


class Send(Call[Sent]):
    """Send one message to a chat under an id that we chose. Answers when WhatsApp took it (ack 1 or more), or with
    ack 0 when it lies in the page and has not left; raises when the page refuses it.
    """

    name = "send"
    answer = TypeAdapter(Sent)
    within = 30.0
    chat: str
    id: MessageId = Field(description="`true_{chat}_{hex}`.")
    type: str = Field(description="text, image, video, audio, document, sticker, location, contacts, reaction.")
    text: str | None = Field(default=None, description="The text, or the caption.")
    link_preview: bool = False
    mentions: list[str] = Field(default=[], description="Phone numbers (digits) named in the text with `@`.")
    quoted: MessageId | None = None
    target: MessageId | None = Field(default=None, description="Of a reaction.")
    emoji: str | None = None
    content: dict[str, Any] = Field(default={}, description="Of location and contacts, as in the Cloud API.")
    path: Path | None = Field(default=None, description="The file, on this machine; streamed into the page.")
    mime_type: str | None = None
    filename: str | None = None
    voice: bool = False


class Typing(Call[None]):
    """Show `typing ...` in a chat for so many seconds, and return after them."""

    name = "typing"
    answer = TypeAdapter(None)
    within = 40.0
    chat: str
    seconds: float = Field(ge=0, le=30)


class History(Call["list[WebMessage]"]):
    """Messages of all chats since a moment, oldest first, loaded from WhatsApp where need be."""

    name = "history"
    answer = TypeAdapter(list[WebMessage])
    within = 60.0
    since: int = Field(description="Seconds since 1970.")
    corrected_since: int | None = Field(
        default=None,
        description="Of older ones from here on, those that were edited or reacted to since `since`, or taken back.",
    )
    groups: bool = False
    limit: int = Field(default=1000, le=10_000)
    offset: int = Field(default=0, ge=0)


class Download(Call[Path]):
    """Bring the file of a message onto this machine; answers where it is. The caller removes it."""

    name = "download"
    answer = TypeAdapter(Path)
    within = 120.0
    id: MessageId
    limit: int = Field(description="Bytes; a larger file is refused.")


class RejectCall(Call[None]):
    """Refuse a call."""

    name = "rejectCall"
    answer = TypeAdapter(None)
    id: str
