"""What every Graph API call has in common: token, body, faults, error envelope."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog
from aiohttp import web

from ..accounts import Account
from ..faults import Path
from ..keys import WHATSAPP
from ..whatsapp import WhatsApp
from .errors import GraphError, invalid, no_object

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(data: Any, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def endpoint(handler: Handler) -> Handler:
    """Answer refusals with Meta's error envelope, and let nothing else out."""

    async def call(request: web.Request) -> web.StreamResponse:
        faults = request.app[WHATSAPP].faults
        if faults and any(faults.hits("unreachable", path="any", phone_number_id=request.match_info.get("object_id"))):
            return drop(request)
        try:
            return await handler(request)
        except GraphError as error:
            response = answer(error.body(), error.http)
            if error.http == 401:
                response.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{error.message}"'
            return response
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("graph_call_failed", path=request.path)
            return answer(GraphError(1, "The simulator failed on this call: see its log.").body(), 500)

    return call


def drop(request: web.Request) -> web.Response:
    """Cut the connection, so that the client gets no answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def token_of(request: web.Request) -> str:
    """Return the access token of a call, from the header or the query; 104 when there is none."""
    header = request.headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        return header[7:].strip()
    if header[:6].lower() == "oauth ":
        return header[6:].strip()
    given = request.query.get("access_token")
    if not given:
        raise GraphError(104, message="An access token is required to request this resource.")
    return given


def authorized(request: web.Request, account: Account | None, object_id: str) -> Account:
    """Return the account when the call's token may use it; 190 for a bad token, 100/33 for a foreign object."""
    given = token_of(request)
    if account is not None and given == account.access_token:
        return account
    if not request.app[WHATSAPP].accounts.knows_token(given):
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
    raise no_object(object_id, request.method)


def phone_number(request: web.Request) -> Account:
    """Return the business number the path names, when the token may use it."""
    object_id = request.match_info["object_id"]
    return authorized(request, request.app[WHATSAPP].accounts.find(object_id), object_id)


def waba(request: web.Request) -> list[Account]:
    """Return the numbers of the WABA the path names that the token may use."""
    object_id = request.match_info["object_id"]
    numbers = request.app[WHATSAPP].accounts.of_waba(object_id)
    given = token_of(request)
    allowed = [account for account in numbers if account.access_token == given]
    return allowed or [authorized(request, numbers[0] if numbers else None, object_id)]


async def fields(request: web.Request) -> dict[str, Any]:
    """Return the body of a call: a JSON object, or a form whose values may be JSON."""
    raw = await request.read()
    if request.content_type == "application/x-www-form-urlencoded":
        return {name: _form_value(value) for name, value in parse_qsl(raw.decode(errors="replace"))}
    if not raw:
        return {}
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise invalid("The request body must be a JSON object")
    return data


def _form_value(value: str) -> Any:
    if value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


async def disturb(
    whatsapp: WhatsApp, request: web.Request, path: Path, phone_number_id: str | None, to: str | None = None
) -> web.Response | None:
    """Let the faults that come before acceptance happen: wait, refuse with `GraphError`, or return a cut connection."""
    for rule in whatsapp.faults.hits(
        "slow", "drop_before_accept", "rate_limit", "server_error", "error",
        path=path, phone_number_id=phone_number_id, to=to,
    ):  # fmt: skip
        if rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        elif rule.kind == "drop_before_accept":
            return drop(request)
        else:
            raise GraphError(whatsapp.faults.code_of(rule), http=rule.http)
    return None
