"""What a client sends to have a message sent: strict shapes, turned into the contract's content."""

from typing import Annotated, Any, Literal
from uuid import UUID

from blazz_chassis.errors import Invalid
from blazz_contracts import content
from blazz_contracts.message import Lane
from blazz_contracts.recipient import Phone, Recipient, UserId
from blazz_contracts.views.request import NotBlank, Request
from pydantic import BeforeValidator, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid", frozen=True)


class SendText(content.Text):
    """A text."""

    model_config = _STRICT

    body: Annotated[str, Field(min_length=1, max_length=4096, description="The text, 1 to 4096 characters."), NotBlank]


class SendImage(content.Image):
    """A picture."""

    model_config = _STRICT


class SendVideo(content.Video):
    """A video."""

    model_config = _STRICT


class SendAudio(content.Audio):
    """A sound."""

    model_config = _STRICT


class SendDocument(content.Document):
    """A file."""

    model_config = _STRICT


class SendSticker(content.Sticker):
    """A sticker."""

    model_config = _STRICT


class SendReaction(content.Reaction):
    """An emoji on a message."""

    model_config = _STRICT


class SendLocation(content.Location):
    """A place."""

    model_config = _STRICT


def _language(value: Any) -> Any:
    """The Cloud API's own form, `{"code": "en_US"}`, is as good as the plain code."""
    return value["code"] if isinstance(value, dict) and set(value) == {"code"} else value


class SendTemplate(content.Template):
    """An approved template."""

    model_config = _STRICT

    language: Annotated[
        str,
        BeforeValidator(_language, json_schema_input_type=str | dict[Literal["code"], str]),
        Field(min_length=2, max_length=16, description="`en_US`, or `{code: en_US}`."),
    ]


class SendTo(Request):
    """Whom it is for: exactly one of the three."""

    contact_id: UUID | None = Field(default=None, description="A contact of the workspace.")
    phone: Phone | None = None
    user_id: UserId | None = None

    def recipient(self) -> Recipient:
        """The contract's form; raises `Invalid` naming `to`."""
        named = {name: value for name, value in self.model_dump().items() if value is not None}
        if len(named) != 1:
            raise Invalid("name exactly one of contact_id, phone, user_id", field="to")
        return Recipient(contact_id=self.contact_id, phone=self.phone, user_id=self.user_id)


Type = Literal[
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "reaction",
    "location",
    "contacts",
    "interactive",
    "template",
]
_TYPES: tuple[Type, ...] = Type.__args__  # type: ignore[attr-defined]


class SendMessage(Request):
    """A message to send. `type` names the one field that holds its content."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"to": {"phone": "+4915112345678"}, "type": "text", "text": {"body": "Hello!"}},
                {
                    "to": {"contact_id": "0198f3a0-0000-7000-8000-000000000001"},
                    "type": "template",
                    "template": {"name": "order_confirmation", "language": "en_US", "components": []},
                },
            ]
        }
    )

    to: SendTo
    channel_id: UUID | None = Field(
        default=None, description="The number to send from; none: the contact's last one, else the workspace's default."
    )
    type: Type
    text: SendText | None = None
    image: SendImage | None = None
    video: SendVideo | None = None
    audio: SendAudio | None = None
    document: SendDocument | None = None
    sticker: SendSticker | None = None
    reaction: SendReaction | None = None
    location: SendLocation | None = None
    contacts: list[dict[str, Any]] | None = Field(
        default=None,
        min_length=1,
        max_length=257,
        description="Cards in the Cloud API's form, with `name.formatted_name`.",
    )
    interactive: dict[str, Any] | None = Field(default=None, description="The Cloud API's `interactive` object.")
    template: SendTemplate | None = None
    reply_to: UUID | None = Field(default=None, description="The message it answers, of the same conversation.")
    lane: Literal["urgent", "high", "normal"] | None = Field(
        default=None, description="A lower lane than one's own: people send in `urgent`, API tokens in `high`."
    )

    def content(self) -> content.Content:
        """The contract's form of what it says; raises `Invalid` naming the field that is missing or too much."""
        for name in _TYPES:
            if name != self.type and getattr(self, name) is not None:
                raise Invalid(f"does not belong to a message of type {self.type}", field=name)
        given = getattr(self, self.type)
        if given is None:
            raise Invalid(f"is required for a message of type {self.type}", field=self.type)
        # `type` is set here: the strict models would else take it from the client too, right or wrong.
        plain = {self.type: given} if self.type in ("contacts", "interactive") else given.model_dump()
        try:
            return content.CONTENT.validate_python({**plain, "type": self.type})
        except ValueError as error:
            raise Invalid(_first_message(error), field=self.type) from error


_LANES = (Lane.URGENT, Lane.HIGH, Lane.NORMAL)


def lane_for(kind: Literal["user", "token"], asked: str | None) -> Lane:
    """The lane of a request: people are urgent, tokens high; one may ask for a lower one. Raises `Invalid`."""
    own = Lane.URGENT if kind == "user" else Lane.HIGH
    if asked is None:
        return own
    lane = Lane(asked)
    if _LANES.index(lane) < _LANES.index(own):
        raise Invalid(f"you send in {own} or lower", field="lane")
    return lane


class ChatSend(Request):
    """The old system's request (`POST /chat/send`), as JSON or as a form."""

    contact_uuid: UUID
    message: Annotated[
        str,
        Field(min_length=1, max_length=4096, description="The text, or the link of an image or document."),
        NotBlank,
    ]
    type: Literal["text", "image", "document"] | None = None

    def content(self) -> content.Content:
        """The contract's form; raises `Invalid` naming `message` when it is no link where one is needed."""
        if self.type in (None, "text"):
            # The old system always asked for a preview.
            return content.Text(body=self.message, preview_url=True)
        model = content.Image if self.type == "image" else content.Document
        try:
            return model(link=self.message)
        except ValueError as error:
            raise Invalid(f"is the link of the {self.type}, https://…", field="message") from error


def text_of(message: content.Content) -> str:
    """What to show of it in a list: the text, a caption, or nothing."""
    if isinstance(message, content.Text):
        return message.body
    return getattr(message, "caption", None) or ""


def _first_message(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors(include_input=False, include_url=False)[0]
    return str(first["msg"]).removeprefix("Value error, ")
