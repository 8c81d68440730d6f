"""The old Node service's routes. What they send goes the way of every message: requested, stored by chat, sent by the
session; so they answer our message id, and nothing says "sent" that was not."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from blazz_chassis.context import InternalContext, WorkspaceContext
from blazz_chassis.errors import Forbidden, Invalid
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import CONTENT, Content
from blazz_contracts.event import Contract
from blazz_contracts.events import MessageRequested
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient
from blazz_contracts.views.request import Request
from blazz_contracts.views.session import CreateSession, QrView
from fastapi import APIRouter
from pydantic import Field, ValidationError

from blazz_webjs_bridge.creating import Creating
from blazz_webjs_bridge.errors import SessionNotFound
from blazz_webjs_bridge.registry import Registry
from blazz_webjs_bridge.session import Session

SessionName = Annotated[str, Field(max_length=64)]
_ORIGINS = {"user": OriginKind.PERSON, "token": OriginKind.API, "service": OriginKind.AUTOMATION}


class InitSession(Request):
    """The old service's way to ask for a session: a workspace has one."""

    workspaceId: UUID | None = Field(default=None, description="The caller's own workspace.")  # noqa: N815
    phoneNumber: str | None = Field(default=None, max_length=32, description="Shown as the session's name.")  # noqa: N815


class SendMessage(Request):
    """The old service's way to send; what is sent differs by route."""

    workspaceId: UUID | None = None  # noqa: N815
    sessionId: str | None = Field(default=None, max_length=64)  # noqa: N815
    contactId: UUID | None = None  # noqa: N815
    phone: str | None = Field(default=None, max_length=32)
    message: str | None = Field(default=None, max_length=4096)
    type: str | None = Field(default=None, max_length=32, description="Of media: image, video, audio, document.")
    url: str | None = Field(default=None, max_length=2048)
    mediaId: UUID | None = None  # noqa: N815
    caption: str | None = Field(default=None, max_length=1024)
    filename: str | None = Field(default=None, max_length=240)
    template: dict[str, Any] | None = None


class InitView(Contract):
    """What the old service answered."""

    success: bool = True
    sessionId: UUID  # noqa: N815
    status: str = Field(description="`initializing`, or `existing`.")


class StatusView(Contract):
    """What the old service answered."""

    success: bool = True
    sessionId: UUID  # noqa: N815
    status: str = Field(description="`connected`, or the session's state.")
    cause: str | None


class AcceptedView(Contract):
    """A message was accepted; what becomes of it is told by its status."""

    success: bool = True
    messageId: UUID = Field(description="Ours; `GET /api/v1/messages/{id}` tells its status.")  # noqa: N815
    timestamp: str


def router(registry: Registry, creating: Creating, publisher: Publisher) -> APIRouter:
    """Routes of the old service, with a signed workspace context in place of none."""
    routes = APIRouter()

    async def found(context: WorkspaceContext, name: str | None) -> Session:
        """The session of that id; `workspace_{id}` and no name mean the workspace's oldest."""
        if name is None or name == f"workspace_{context.workspace_id}":
            known = await registry.list(context.workspace_id, None, 1)
            if not known:
                raise SessionNotFound()
            return known[0]
        try:
            return await registry.get(context.workspace_id, UUID(name))
        except ValueError:
            raise SessionNotFound() from None

    @routes.post("/session/init")
    async def init(context: InternalContext, asked: InitSession) -> InitView:
        """Make the workspace's session, or start the one it has."""
        _own(context, asked.workspaceId)
        known = await registry.list(context.workspace_id, None, 1)
        if known:
            started = await registry.start(context, known[0].id)
            return InitView(sessionId=started.id, status="existing")
        made = await creating.create(context, CreateSession(name=asked.phoneNumber or "WhatsApp Web"))
        return InitView(sessionId=made.id, status="initializing")

    @routes.get("/session/{name}/qr")
    async def code(context: InternalContext, name: SessionName) -> QrView:
        """The code to scan now."""
        return registry.qr(await found(context, name))

    @routes.get("/session/{name}/status")
    async def status(context: InternalContext, name: SessionName) -> StatusView:
        """Where the session stands."""
        known = await found(context, name)
        word = "connected" if known.state.value == "ready" else known.state.value
        return StatusView(sessionId=known.id, status=word, cause=known.cause)

    async def requested(context: WorkspaceContext, asked: SendMessage, content: dict[str, Any]) -> AcceptedView:
        _own(context, asked.workspaceId)
        session = await found(context, asked.sessionId)
        now = datetime.now(UTC)
        event = MessageRequested(
            workspace_id=context.workspace_id,
            message_id=uuid7(),
            channel_id=session.id,
            to=_recipient(asked),
            content=_content(content),
            lane=Lane.HIGH,
            origin=Origin(kind=_ORIGINS[context.actor_kind], id=context.actor_id),
            requested_at=now,
        )
        await publisher.publish(event)
        return AcceptedView(messageId=event.message_id, timestamp=now.isoformat())

    @routes.post("/send", status_code=202)
    async def send(context: InternalContext, asked: SendMessage) -> AcceptedView:
        """Send a text."""
        return await requested(context, asked, {"type": "text", "body": asked.message})

    @routes.post("/send-media", status_code=202)
    async def send_media(context: InternalContext, asked: SendMessage) -> AcceptedView:
        """Send a file, by link or by the id of an upload."""
        fields = {
            "link": asked.url,
            "media_id": asked.mediaId,
            "caption": asked.caption or asked.message,
            "filename": asked.filename,
        }
        return await requested(context, asked, {"type": asked.type or "document", **fields})

    @routes.post("/send-template", status_code=202)
    async def send_template(context: InternalContext, asked: SendMessage) -> AcceptedView:
        """Send a template."""
        return await requested(context, asked, {"type": "template", **(asked.template or {})})

    return routes


def _own(context: WorkspaceContext, workspace_id: UUID | None) -> None:
    if workspace_id is not None and workspace_id != context.workspace_id:
        raise Forbidden("this is not your workspace", field="workspaceId")


def _recipient(asked: SendMessage) -> Recipient:
    try:
        return Recipient(contact_id=asked.contactId, phone=asked.phone)
    except ValidationError as error:
        raise Invalid("name contactId or phone, as an international number", field="phone") from error


def _content(content: dict[str, Any]) -> Content:
    try:
        return CONTENT.validate_python({key: value for key, value in content.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", field="message") from error
