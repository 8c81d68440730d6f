"""Sending under the old WhatsApp Web service's addresses: `/send`, `/send-media`, `/send-template`.

They go the way of every message. `messageId` is ours, and nothing says that it was sent before it was.
"""

import mimetypes
import re
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from blazz_chassis.errors import Invalid, NotFound
from blazz_contracts import content
from blazz_contracts.recipient import Recipient
from blazz_contracts.views.request import Request as Body
from fastapi import APIRouter, Request, Response
from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, ValidationError

from blazz_gateway import storable
from blazz_gateway.api import ask
from blazz_gateway.api.body import form_or_json
from blazz_gateway.api.door import Door, read_as
from blazz_gateway.api.old_words import OldRoute, answered
from blazz_gateway.channel import Channels
from blazz_gateway.message_request import lane_for
from blazz_gateway.role import Permission
from blazz_gateway.sending import Order, Sending
from blazz_gateway.web_session import identifier, own_workspace

MediaType = Literal["image", "video", "audio", "document", "sticker"]


def _digits(value: Any) -> Any:
    """A number as people and the old system wrote it: `+31 6 1234-5678`, `31612345678@c.us`."""
    return re.sub(r"\D", "", value.partition("@")[0]) if isinstance(value, str) else value


class _OldSend(Body):
    """Whom it is for. What else the old request held was never looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    contact_id: UUID | None = Field(default=None, alias="contactId")
    phone: Annotated[str | None, BeforeValidator(_digits), Field(pattern=r"^[0-9]{5,20}$")] = None
    workspace_id: str | int | None = Field(default=None, alias="workspaceId")
    session_id: str | None = Field(
        default=None, alias="sessionId", description="Its id; none, or `workspace_{id}`: the workspace's oldest."
    )

    def recipient(self) -> Recipient:
        """The contract's form; a contact goes before a number."""
        if self.contact_id is not None:
            return Recipient(contact_id=self.contact_id)
        if self.phone is None:
            raise Invalid("name a contact or a phone number", field="contactId")
        return Recipient(phone=self.phone)

    def content(self) -> content.Content:
        """What it says."""
        raise NotImplementedError


class SendText(_OldSend):
    """A text."""

    message: str = Field(min_length=1, max_length=4096)

    def content(self) -> content.Content:
        """A text, as it is."""
        return content.Text(body=self.message)


class SendMedia(_OldSend):
    """A file, by its address or by the id of an upload."""

    media_url: str | None = Field(default=None, validation_alias=AliasChoices("mediaUrl", "media", "url"))
    media_id: UUID | None = Field(default=None, alias="mediaId")
    caption: str | None = Field(
        default=None,
        max_length=1024,
        validation_alias=AliasChoices("caption", "message"),
        description="Shown under it.",
    )
    type: MediaType | None = Field(default=None, validation_alias=AliasChoices("type", "mediaType"))
    filename: str | None = Field(default=None, max_length=240)

    def content(self) -> content.Content:
        """Of the type named, else of that which the address ends in, else a document."""
        fields: dict[str, Any] = {
            "type": self.type or self._guessed(),
            "link": self.media_url,
            "media_id": self.media_id,
        }
        fields |= {"caption": self.caption, "filename": self.filename}
        try:
            return content.CONTENT.validate_python({name: value for name, value in fields.items() if value is not None})
        except ValidationError as error:
            raise Invalid("give the file's address (https://…), or the id of an upload", field="mediaUrl") from error

    def _guessed(self) -> str:
        try:
            path = urlsplit(self.media_url or "").path
        except ValueError:
            path = ""  # no address at all: its own check says so
        guessed = mimetypes.guess_type(path)[0] or ""
        kind = guessed.partition("/")[0]
        return kind if kind in ("image", "video", "audio") else "document"


class SendTemplate(_OldSend):
    """A template."""

    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$", validation_alias=AliasChoices("templateName", "template", "name"))
    language: str = Field(default="en_US", min_length=2, max_length=16)
    components: list[dict[str, Any]] = Field(default=[], max_length=32)

    def content(self) -> content.Content:
        """The template by name: what a number on WhatsApp Web makes of it, chat says."""
        return content.Template(name=self.name, language=self.language, components=self.components)


S = TypeVar("S", bound=_OldSend)


def router(door: Door, sending: Sending, channels: Channels) -> APIRouter:
    """The old service's routes for messages."""
    routes = APIRouter(tags=["old WhatsApp Web service"], route_class=OldRoute)

    async def accept(request: Request, model: type[S]) -> Response:
        actor = await door.enter(request)
        actor.require(Permission.MESSAGES_SEND)
        asked = read_as(model, await form_or_json(request))
        storable.check(asked)
        own_workspace(actor, asked.workspace_id)
        channel_id = identifier(actor, asked.session_id) or await channels.oldest_web(actor.workspace_id)
        if channel_id is None:
            raise NotFound("this workspace has no WhatsApp Web session: POST /session/init first", code="no_session")
        order = Order(
            to=asked.recipient(),
            content=asked.content(),
            lane=lane_for(actor.kind, None),
            channel_id=channel_id,
            socket_id=ask.socket_id(request),
            key=ask.key(request),
            fingerprint=model.__name__.encode() + ask.fingerprint(asked),
        )
        sent = await sending.send(actor, order)
        response = answered(messageId=sent.answer["id"], timestamp=sent.answer["created_at"])
        response.headers.update(ask.headers(sent))
        return response

    def offer(path: str, model: type[S], summary: str) -> None:
        async def send(request: Request) -> Response:
            return await accept(request, model)

        schema = {"schema": model.model_json_schema()}
        kinds = ("application/json", "application/x-www-form-urlencoded")
        body = {"required": True, "content": dict.fromkeys(kinds, schema)}
        routes.add_api_route(
            path, send, methods=["POST"], summary=summary, name=path[1:], openapi_extra={"requestBody": body}
        )

    offer("/send", SendText, "Send a text.")
    offer("/send-media", SendMedia, "Send a file.")
    offer("/send-template", SendTemplate, "Send a template.")
    return routes
