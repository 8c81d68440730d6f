"""Handing on: a request of the table goes to the service that answers it, on behalf of whoever asks."""

import re
from collections.abc import AsyncIterator, Mapping
from string import printable
from typing import Any
from urllib.parse import quote

import orjson
from blazz_chassis.errors import NotFound
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from blazz_gateway.actor import Actor
from blazz_gateway.api import ask
from blazz_gateway.api.door import Door, read_as
from blazz_gateway.api.passage import PASSAGES, Passage
from blazz_gateway.upstream import Upstream, refusal

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
# Ids, and names of letters, digits and underscores.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,512}")
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key and body are the same one, as long as it is there; `Idempotency-Replayed` says so.",
}
_KEPT = ("idempotency-replayed",)
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
        path = "/internal" + passage.path.format_map(_named(request.path_params))
        query = request.url.query
        if passage.file:
            return await _streamed(upstream, passage, f"{path}?{query}" if query else path, request, actor.context())
        body = await request.body() if passage.method in ("POST", "PUT", "PATCH") else None
        if passage.checked:
            _check(passage, body)
        answer = await upstream.call(
            passage.method, path, actor.context(), content=body or None, params=query, headers=_key(passage, request)
        )
        if answer.status_code >= 400:
            raise refusal(answer)
        return Response(
            _as_seen_by(actor, passage, answer.content),
            answer.status_code,
            headers={name: value for name in _KEPT if (value := answer.headers.get(name))},
            media_type=answer.headers.get("content-type", "application/json"),
        )

    return hand_on


def _named(params: Mapping[str, Any]) -> dict[str, str]:
    """What an address names, as it goes on. Words stay within their place: no `/`, no `?`, no `..`."""
    named = {name: str(value) for name, value in params.items()}
    if not all(_NAME.fullmatch(value) for value in named.values()):
        raise NotFound("there is nothing of this name")
    return named


def _key(passage: Passage, request: Request) -> dict[str, str]:
    """The Idempotency-Key, where it means something. Raises `Invalid`."""
    named = ask.key(request) if passage.keyed else None
    return {"idempotency-key": named} if named is not None else {}


def _as_seen_by(actor: Actor, passage: Passage, content: bytes) -> bytes:
    """The answer as this actor may see it."""
    if passage.private is None or passage.private_permission in actor.permissions:
        return content
    told = orjson.loads(content)
    for each in told.get("items", [told]):
        if passage.private in each:
            each[passage.private] = None
    return orjson.dumps(told)


def _check(passage: Passage, body: bytes | None) -> None:
    assert passage.body is not None
    try:
        asked = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return  # whoever answers says so
    read_as(passage.body, asked)


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


def _schema_of(name: str) -> dict[str, Any]:
    return {"type": "string", "format": "uuid"} if name.endswith("_id}") else {"type": "string"}


def _documented_request(passage: Passage) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name.strip("{}"), "in": "path", "required": True, "schema": _schema_of(name)}
        for name in passage.path.split("/")
        if name.startswith("{")
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in passage.query]
    if passage.keyed:
        parameters.append(_KEY_PARAMETER)
    extra: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if passage.body is not None:
        schema = {"$ref": f"#/components/schemas/{passage.body.__name__}"}
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif passage.file and passage.method == "POST":
        extra["requestBody"] = {"required": True, "content": {"*/*": {"schema": {"format": "binary"}}}}
    return extra
