"""Sending, and how a message fares."""

import re
import time
from typing import Annotated, Any
from uuid import UUID

import orjson
from blazz_chassis.errors import BlazzError, FieldError
from blazz_contracts.recipient import Recipient
from blazz_contracts.views.message import MessageView
from fastapi import APIRouter, Request, Response

from blazz_gateway import storable
from blazz_gateway.actor import Actor
from blazz_gateway.api import ask
from blazz_gateway.api.body import form_or_json
from blazz_gateway.api.door import Door, read_as
from blazz_gateway.message_request import ChatSend, SendMessage, lane_for
from blazz_gateway.message_status import MessageStatus
from blazz_gateway.role import Permission
from blazz_gateway.sending import Order, Sending, Sent
from blazz_gateway.waiting import Outcomes, Watch

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?:$|[,;\s])", re.IGNORECASE)
_SETTLED = frozenset({"sent", "delivered", "read", "played", "failed"})
_OLD_NAMES = {"to.contact_id": "contact_uuid", "image.link": "message", "document.link": "message"}
"""How the old system's request calls what an order does."""
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": MessageView, "description": "It was sent or failed within `Prefer: wait`."},
    202: {"model": MessageView, "description": "Accepted: it will be sent. `Location` tells how it fares."},
    409: {"description": "The first request with this Idempotency-Key is in flight, or the channel is stopped."},
    429: {"description": "The rate limit is used up; `Retry-After` says for how long."},
}
_HEADERS: list[dict[str, Any]] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 255},
        "description": "The same key and body give the same message and answer for 24 hours.",
    },
    {
        "name": "Prefer",
        "in": "header",
        "schema": {"type": "string"},
        "example": "wait=10",
        "description": "`wait=N`: hold the answer for at most N seconds, until the message is sent or failed.",
    },
    {
        "name": "X-Socket-ID",
        "in": "header",
        "schema": {"type": "string"},
        "description": "The websocket that causes this; it is not told of its own message.",
    },
]


_OLD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": ChatSend.model_json_schema()}
            for kind in ("application/json", "application/x-www-form-urlencoded")
        },
    }
}


def router(door: Door, sending: Sending, statuses: MessageStatus, outcomes: Outcomes, *, wait_max: int) -> APIRouter:
    """`POST /api/v1/messages`, `/api/v1/send-message`, `/chat/send`; `GET /api/v1/messages/{id}`."""
    routes = APIRouter(tags=["messages"])
    Sender = Annotated[Actor, door.allow(Permission.MESSAGES_SEND)]  # noqa: N806 - a type
    Reader = Annotated[Actor, door.allow(Permission.MESSAGES_READ)]  # noqa: N806 - a type

    @routes.post("/api/v1/send-message", status_code=202, responses=_ANSWERS, openapi_extra={"parameters": _HEADERS})
    @routes.post("/api/v1/messages", status_code=202, responses=_ANSWERS, openapi_extra={"parameters": _HEADERS})
    async def send(actor: Sender, asked: SendMessage, request: Request) -> Response:
        """Send a message."""
        order = _order(actor, asked, request)
        seconds = min(_wait(request), wait_max)
        if not seconds:
            return _answered(await sending.send(actor, order))
        async with outcomes.watching(actor.workspace_id) as watch:
            sent, known = await _sent_and_known(actor, order, sending, statuses, watch, seconds)
        return _answered(sent, known, seconds)

    @routes.post(
        "/chat/send",
        openapi_extra=_OLD_BODY,
    )
    async def chat_send(actor: Sender, request: Request) -> Response:
        """Send a message as the old system's clients do."""
        fields = await form_or_json(request)
        # Laravel's own field of a form; it is checked as a header here.
        fields.pop("_token", None)
        sent = await _sent_as_of_old(actor, read_as(ChatSend, fields), request, sending)
        body = {"success": True, "message": "Message accepted", "data": {"chat_id": sent.answer["id"]}}
        return Response(orjson.dumps(body), headers=ask.headers(sent), media_type="application/json")

    @routes.get("/api/v1/messages/{message_id}", responses={200: {"model": MessageView}})
    async def get(actor: Reader, message_id: UUID) -> Response:
        """How a message fares."""
        return Response(orjson.dumps(await statuses.get(actor, message_id)), media_type="application/json")

    return routes


def _order(actor: Actor, asked: SendMessage, request: Request) -> Order:
    storable.check(asked)
    return Order(
        to=asked.to.recipient(),
        content=asked.content(),
        lane=lane_for(actor.kind, asked.lane),
        channel_id=asked.channel_id,
        reply_to=asked.reply_to,
        socket_id=ask.socket_id(request),
        key=ask.key(request),
        fingerprint=ask.fingerprint(asked),
    )


async def _sent_and_known(
    actor: Actor, order: Order, sending: Sending, statuses: MessageStatus, watch: Watch, seconds: float
) -> tuple[Sent, dict[str, Any] | None]:
    """Send, and wait for what becomes of it."""
    ends = time.monotonic() + seconds
    sent = await sending.send(actor, order, before_publish=watch.expect)
    message_id = UUID(sent.answer["id"])
    known = None
    if sent.replayed or watch.deaf:
        # What was told before we listened, chat knows.
        watch.expect(message_id)
        known = await statuses.known(actor, message_id)
    if known is None or known["status"] not in _SETTLED:
        heard = await watch.outcome(message_id, max(0.0, ends - time.monotonic()))
        known = {**sent.answer, **heard} if heard else await statuses.known(actor, message_id)
    return sent, known


async def _sent_as_of_old(actor: Actor, asked: ChatSend, request: Request, sending: Sending) -> Sent:
    storable.check(asked)
    order = Order(
        to=Recipient(contact_id=asked.contact_uuid),
        content=asked.content(),
        lane=lane_for(actor.kind, None),
        socket_id=ask.socket_id(request),
        key=ask.key(request),
        fingerprint=ask.fingerprint(asked),
    )
    try:
        return await sending.send(actor, order)
    except BlazzError as error:
        # They are told of in the words of this request, not in those of the order made from it.
        error.errors = [FieldError(_OLD_NAMES.get(each.field, each.field), each.message) for each in error.errors]
        raise


def _answered(sent: Sent, known: dict[str, Any] | None = None, waited: int = 0) -> Response:
    headers = ask.headers(sent)
    if waited:
        headers["Preference-Applied"] = f"wait={waited}"
    settled = known is not None and known["status"] in _SETTLED
    # An answer under a key is given again as it was; only waiting for more may tell more.
    body = known if settled else sent.answer
    return Response(orjson.dumps(body), 200 if settled else 202, headers=headers, media_type="application/json")


def _wait(request: Request) -> int:
    found = _WAIT.search(request.headers.get("prefer", ""))
    return int(found.group(1)) if found else 0
