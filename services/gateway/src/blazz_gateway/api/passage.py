"""What other services answer: one table of routes, each with the right it takes; the rest is handing on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from string import printable
from typing import Any, Literal
from urllib.parse import quote

from blazz_contracts.views.campaign import CampaignView, CreateCampaign, RecipientView
from blazz_contracts.views.change import Changes
from blazz_contracts.views.channel import ChannelView, CreateChannel, UpdateChannel
from blazz_contracts.views.contact import ContactView, CreateContact
from blazz_contracts.views.media import MediaView
from blazz_contracts.views.message import MessageView
from blazz_contracts.views.page import Page
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from blazz_gateway.api.door import Door
from blazz_gateway.role import Permission
from blazz_gateway.upstream import Upstream, refusal

P = Permission


@dataclass(frozen=True, slots=True)
class Passage:
    """A route of another service that is offered under `/api/v1`. `{…_id}` in its path are UUIDs."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    service: Literal["chat", "campaign"]
    permission: Permission
    summary: str
    answer: Any = None
    """The model of its answer."""
    body: type[BaseModel] | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    """Names of its query parameters, for the OpenAPI document."""
    file: bool = False
    """Its body or answer is a file: streamed."""


PAGE = ("cursor", "limit")
PASSAGES: tuple[Passage, ...] = (
    Passage("GET", "/contacts", "chat", P.CONTACTS_READ, "Find contacts.", Page[ContactView], query=("search", *PAGE)),
    Passage(
        "POST",
        "/contacts",
        "chat",
        P.CONTACTS_WRITE,
        "Add a contact; one that exists is given back (200).",
        ContactView,
        CreateContact,
        201,
    ),
    Passage("GET", "/contacts/{contact_id}", "chat", P.CONTACTS_READ, "One contact.", ContactView),
    Passage(
        "GET",
        "/contacts/{contact_id}/messages",
        "chat",
        P.MESSAGES_READ,
        "What was said with a contact, newest first.",
        Page[MessageView],
        query=PAGE,
    ),
    Passage(
        "GET",
        "/changes",
        "chat",
        P.MESSAGES_READ,
        "Every change of the workspace once, in commit order.",
        Changes,
        query=("after", "limit"),
    ),
    Passage("GET", "/channels", "chat", P.CHANNELS_READ, "The workspace's numbers.", Page[ChannelView], query=PAGE),
    Passage("POST", "/channels", "chat", P.CHANNELS_WRITE, "Connect a number.", ChannelView, CreateChannel, 201),
    Passage("GET", "/channels/{channel_id}", "chat", P.CHANNELS_READ, "One number.", ChannelView),
    Passage(
        "PATCH", "/channels/{channel_id}", "chat", P.CHANNELS_WRITE, "Change a number.", ChannelView, UpdateChannel
    ),
    Passage("DELETE", "/channels/{channel_id}", "chat", P.CHANNELS_WRITE, "Disconnect a number.", status=204),
    Passage(
        "GET",
        "/unrecognized",
        "chat",
        P.AUDIT_READ,
        "What WhatsApp told that is no message and no status, newest first.",
        Page[dict[str, Any]],
        query=PAGE,
    ),
    Passage("POST", "/media", "chat", P.MEDIA_WRITE, "Upload a file to send.", MediaView, status=201, file=True),
    Passage("GET", "/media/{media_id}", "chat", P.MEDIA_READ, "What a file is.", MediaView),
    Passage("GET", "/media/{media_id}/content", "chat", P.MEDIA_READ, "The file itself.", file=True),
    Passage("GET", "/campaigns", "campaign", P.CAMPAIGNS_READ, "Campaigns.", Page[CampaignView], query=PAGE),
    Passage(
        "POST",
        "/campaigns",
        "campaign",
        P.CAMPAIGNS_WRITE,
        "Send to many.",
        CampaignView,
        CreateCampaign,
        202,
        file=True,
    ),
    Passage("GET", "/campaigns/{campaign_id}", "campaign", P.CAMPAIGNS_READ, "One campaign.", CampaignView),
    *(
        Passage(
            "POST",
            f"/campaigns/{{campaign_id}}/{verb}",
            "campaign",
            P.CAMPAIGNS_WRITE,
            f"{verb.capitalize()} it.",
            CampaignView,
        )
        for verb in ("start", "pause", "resume", "cancel")
    ),
    Passage(
        "GET",
        "/campaigns/{campaign_id}/recipients",
        "campaign",
        P.CAMPAIGNS_READ,
        "Its recipients.",
        Page[RecipientView],
        query=("state", *PAGE),
    ),
)

_REQUEST_HEADERS = ("content-type", "content-length", "x-filename", "range", "if-none-match", "idempotency-key")
_ANSWER_HEADERS = (
    "content-type",
    "content-length",
    "content-range",
    "content-disposition",
    "accept-ranges",
    "etag",
    "last-modified",
)
# A file is whatever somebody sent: it is never shown as a page of ours.
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}


def router(door: Door, upstreams: dict[str, Upstream]) -> APIRouter:
    """All routes of the table."""
    routes = APIRouter(prefix="/api/v1")
    for passage in PASSAGES:
        routes.add_api_route(
            passage.path.replace("_id}", "_id:uuid}"),
            _endpoint(passage, door, upstreams[passage.service]),
            methods=[passage.method],
            status_code=passage.status,
            summary=passage.summary,
            tags=[passage.path.split("/")[1]],
            response_class=Response,
            responses=_documented_answer(passage),
            openapi_extra=_documented_request(passage),
            operation_id=f"{passage.method.lower()}{passage.path}".replace("/", "_").replace("{", "").replace("}", ""),
        )
    return routes


def _endpoint(passage: Passage, door: Door, upstream: Upstream) -> Any:
    async def hand_on(request: Request) -> Response:
        actor = await door.enter(request)
        actor.require(passage.permission)
        path = "/internal" + passage.path.format_map({name: str(value) for name, value in request.path_params.items()})
        query = request.url.query
        if passage.file:
            return await _streamed(upstream, passage, f"{path}?{query}" if query else path, request, actor.context())
        body = await request.body() if passage.method in ("POST", "PATCH") else None
        answer = await upstream.call(passage.method, path, actor.context(), content=body or None, params=query)
        if answer.status_code >= 400:
            raise refusal(answer)
        return Response(
            answer.content, answer.status_code, media_type=answer.headers.get("content-type", "application/json")
        )

    return hand_on


async def _streamed(upstream: Upstream, passage: Passage, url: str, request: Request, context: Any) -> Response:
    incoming = _Incoming(request) if passage.method == "POST" else None
    # A header may hold any bytes (a file's name in UTF-8); what is no ASCII goes on percent-encoded.
    headers = {
        name: quote(value.encode("latin-1"), safe=printable)
        for name in _REQUEST_HEADERS
        if (value := request.headers.get(name))
    }
    try:
        answer = await upstream.open(
            passage.method, url, context, headers=headers, content=incoming.pieces() if incoming else None
        )
    except Exception:
        if incoming is not None and incoming.error is not None:
            # It was our side that broke off: the body grew too large, or the client went away.
            raise incoming.error from None
        raise
    if answer.status_code >= 400:
        await answer.aread()
        raise refusal(answer)
    kept = {name: value for name in _ANSWER_HEADERS if (value := answer.headers.get(name))}
    return StreamingResponse(_pieces(answer), answer.status_code, headers={**kept, **_HARMLESS})


class _Incoming:
    """A request's body on its way through, and what broke it off."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.error: BaseException | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        try:
            async for piece in self._request.stream():
                if piece:
                    yield piece
        except Exception as error:
            self.error = error
            raise


async def _pieces(answer: Any) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


def _documented_answer(passage: Passage) -> dict[int | str, dict[str, Any]]:
    if passage.answer is not None:
        return {passage.status: {"model": passage.answer}}
    if passage.file:
        return {passage.status: {"description": "The bytes.", "content": {"*/*": {"schema": {"format": "binary"}}}}}
    return {}


def _documented_request(passage: Passage) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name.strip("{}"), "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in passage.path.split("/")
        if name.startswith("{")
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in passage.query]
    extra: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if passage.body is not None:
        schema = {"$ref": f"#/components/schemas/{passage.body.__name__}"}
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif passage.file and passage.method == "POST":
        extra["requestBody"] = {"required": True, "content": {"*/*": {"schema": {"format": "binary"}}}}
    return extra
