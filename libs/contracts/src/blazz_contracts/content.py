"""What a message says: one model for each type that the Cloud API sends.

Limits are Meta's (Cloud API reference, "Messages"): text 4096 characters, captions 1024, and so on.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AnyHttpUrl, Field, TypeAdapter, model_validator

from blazz_contracts.event import Contract

Link = Annotated[str, Field(max_length=2048, description="An https (or http) address that WhatsApp fetches itself.")]


class Text(Contract):
    """A text message."""

    type: Literal["text"] = "text"
    body: str = Field(min_length=1, max_length=4096, description="The text, 1 to 4096 characters.")
    preview_url: bool = Field(default=False, description="Show a preview of the first link.")


class _Media(Contract):
    """A file, named by a public link or by the id of an upload of ours. Exactly one of the two."""

    link: Link | None = None
    media_id: UUID | None = Field(default=None, description="An upload of the workspace (`POST /api/v1/media`).")

    @model_validator(mode="after")
    def one_source(self) -> Self:
        """Refuse a file named twice or not at all, and a link that is no web address."""
        if (self.link is None) == (self.media_id is None):
            raise ValueError("name exactly one of link, media_id")
        if self.link is not None:
            if any(character.isspace() or not character.isprintable() for character in self.link):
                raise ValueError("a link has no spaces and no control characters")
            _HTTP_URL.validate_python(self.link)
        return self


_HTTP_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)
Caption = Annotated[str | None, Field(max_length=1024, description="Shown under the file, at most 1024 characters.")]


class Image(_Media):
    """A picture, at most 5 MB."""

    type: Literal["image"] = "image"
    caption: Caption = None


class Video(_Media):
    """A video, at most 16 MB."""

    type: Literal["video"] = "video"
    caption: Caption = None


class Audio(_Media):
    """A sound, at most 16 MB."""

    type: Literal["audio"] = "audio"


class Document(_Media):
    """Any file, at most 100 MB."""

    type: Literal["document"] = "document"
    caption: Caption = None
    filename: str | None = Field(default=None, max_length=240, description="The name the customer sees.")


class Sticker(_Media):
    """A sticker (webp), at most 100 KB, animated 500 KB."""

    type: Literal["sticker"] = "sticker"


class Reaction(Contract):
    """An emoji on a message of the conversation; an empty one takes it back."""

    type: Literal["reaction"] = "reaction"
    message_id: UUID = Field(description="The message of ours that it is put on.")
    emoji: str = Field(max_length=16, description="One emoji, or empty to remove it.")


class Location(Contract):
    """A place."""

    type: Literal["location"] = "location"
    latitude: float = Field(ge=-90, le=90, description="Degrees.")
    longitude: float = Field(ge=-180, le=180, description="Degrees.")
    name: str | None = Field(default=None, max_length=1000)
    address: str | None = Field(default=None, max_length=1000)


class Contacts(Contract):
    """Contact cards, in the Cloud API's own form."""

    type: Literal["contacts"] = "contacts"
    contacts: list[dict[str, Any]] = Field(
        min_length=1, max_length=257, description="Each has `name.formatted_name`, `phones`, …"
    )

    @model_validator(mode="after")
    def named(self) -> Self:
        """WhatsApp refuses a card without `name.formatted_name` (131008)."""
        for card in self.contacts:
            name = card.get("name")
            if not isinstance(name, dict) or not name.get("formatted_name"):
                raise ValueError("each contact needs name.formatted_name")
        return self


class Interactive(Contract):
    """Buttons, lists and flows, in the Cloud API's own form."""

    type: Literal["interactive"] = "interactive"
    interactive: dict[str, Any] = Field(description="The Cloud API's `interactive` object: `type`, `body`, `action`, …")

    @model_validator(mode="after")
    def shaped(self) -> Self:
        """WhatsApp needs a type and an action whatever the kind."""
        if not isinstance(self.interactive.get("type"), str) or not isinstance(self.interactive.get("action"), dict):
            raise ValueError("interactive needs type and action")
        return self


class Template(Contract):
    """An approved template: the only thing that may be sent outside the 24-hour window."""

    type: Literal["template"] = "template"
    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$", description="The template's name at Meta.")
    language: str = Field(min_length=2, max_length=16, description="Language code, such as `en_US`.")
    components: list[dict[str, Any]] = Field(default=[], max_length=32, description="The Cloud API's `components`.")


Content = Annotated[
    Text | Image | Video | Audio | Document | Sticker | Reaction | Location | Contacts | Interactive | Template,
    Field(discriminator="type"),
]
CONTENT: TypeAdapter[Content] = TypeAdapter(Content)
MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker"})
