"""Errors as `application/problem+json` (RFC 9457), with a code, the correlation id and the fields that are wrong."""

import math
from collections.abc import Iterable
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from blazz_chassis.context import correlation_id
from blazz_chassis.errors import BlazzError, FieldError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "The request cannot be read",
    404: "There is no such thing",
    405: "This address does not take this method",
}
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; for programs."},
        "correlation_id": {"type": "string", "description": "Name it when you ask us about this request."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


_UNPARSED = "There was an error parsing the body"
"""What FastAPI says of a body that is no UTF-8, nested too deep, or holds a number too long for any reader."""


def response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: Iterable[FieldError] = (),
    retry_after: float | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem; `retry_after` is in seconds and becomes the header."""
    content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    if correlation := correlation_id.get():
        content["correlation_id"] = correlation
    content["errors"] = [{"field": each.field, "message": each.message} for each in errors]
    more = dict(headers or {})
    if retry_after is not None:
        more["Retry-After"] = str(max(1, math.ceil(retry_after)))
    if status == 401:
        more.setdefault("WWW-Authenticate", "Bearer")
    return Response(orjson.dumps(content), status_code=status, headers=more, media_type=MEDIA_TYPE)


def of_error(error: BlazzError) -> Response:
    """Return the problem that tells of this error."""
    return response(
        error.status, error.code, error.title, error.detail, errors=error.errors, retry_after=error.retry_after
    )


def crashed() -> Response:
    """Return the problem for an error nobody foresaw: nothing of its inside is told."""
    return response(500, "internal", "Internal error", "something went wrong on our side; it has been noted")


def install(app: FastAPI) -> None:
    """Let every error of this app be answered as a problem, and say so in its OpenAPI document."""
    app.add_exception_handler(BlazzError, _on_blazz_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.router.responses = {
        **app.router.responses,
        "4XX": {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": SCHEMA}}},
    }


async def _on_blazz_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, BlazzError)
    if error.status >= 500:
        log.warning(
            "request_failed", code=error.code, detail=error.detail, status=error.status, cause=repr(error.__cause__)
        )
    return of_error(error)


async def _on_validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return _malformed_json()
    # Messages name the field and what is expected; never the input, which may be a secret.
    fields = [FieldError(_path(problem["loc"]), _message(problem)) for problem in problems]
    first = fields[0]
    return response(422, "invalid", "The request is not valid", f"{first.field}: {first.message}", errors=fields)


def _malformed_json() -> Response:
    errors = [FieldError("body", "is not valid JSON")]
    return response(400, "malformed_json", "The body is not JSON", "the request body is not valid JSON", errors=errors)


def _path(location: Iterable[Any]) -> str:
    parts = [str(part) for part in location]
    if parts and parts[0] in {"body", "query", "path", "header", "cookie"} and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts)


def _message(problem: dict[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "is not a field we know"
    if problem["type"] == "missing":
        return "is required"
    if problem["loc"] == ("body",) and problem["type"] in {"model_attributes_type", "dict_type", "model_type"}:
        # What `curl -d` sends when nobody names the type.
        return "must be a JSON object, sent with Content-Type: application/json"
    return str(problem["msg"]).removeprefix("Value error, ")


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    if status == 400 and error.detail == _UNPARSED:
        return _malformed_json()
    title = _TITLES.get(status, str(error.detail))
    headers = dict(error.headers) if error.headers else None
    return response(status, _CODES.get(status, f"http_{status}"), title, str(error.detail), headers=headers)
