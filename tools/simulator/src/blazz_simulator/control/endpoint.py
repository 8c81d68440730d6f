"""What every control call has in common: JSON in, JSON out, refusals that name the field."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from ..errors import BadInput, ControlError

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Model = TypeVar("Model", bound=BaseModel)


def answer(data: Any, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def endpoint(handler: Handler) -> Handler:
    """Answer refusals as `{"error": {code, message, fields}}`."""

    async def call(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ControlError as error:
            return answer(error.body(), error.status)
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("control_call_failed", path=request.path)
            body = {"error": {"code": "failed", "message": "The simulator failed: see its log.", "fields": {}}}
            return answer(body, 500)

    return call


async def json_body(request: web.Request) -> Any:
    """Return the body's JSON, an empty object when there is no body; `BadInput` when it is no JSON."""
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"The body is not valid JSON: {error}", {"body": "not JSON"}) from None


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the body as a JSON object."""
    data = await json_body(request)
    if not isinstance(data, dict):
        raise BadInput("The body must be a JSON object.", {"body": "must be an object"})
    return data


def parse(model: type[Model], data: Any, where: str = "") -> Model:
    """Return `data` as a model; `BadInput` that names each wrong field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        wrong = {
            where + (".".join(str(part) for part in item["loc"]) or "body"): item["msg"] for item in error.errors()
        }
        first = next(iter(wrong))
        raise BadInput(f"{first}: {wrong[first]}", wrong) from None


def number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """Return a whole number of the query; `BadInput` when it is none or out of range."""
    given = request.query.get(name)
    if given is None:
        return default
    try:
        value = int(given)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise BadInput(f"{name} must be a whole number from {least} to {most}.", {name: f"{least} to {most}"})
    return value
