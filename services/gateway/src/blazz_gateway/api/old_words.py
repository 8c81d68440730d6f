"""Refusals in the words of the old WhatsApp Web service: `{success: false, error}` with the HTTP status."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from blazz_chassis.errors import BlazzError
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

Handler = Callable[[Request], Awaitable[Response]]


class OldRoute(APIRoute):
    """A route whose clients look at `success` and `error`."""

    def get_route_handler(self) -> Handler:  # type: ignore[override]
        """The route's handler, its refusals in old words."""
        handle = super().get_route_handler()

        async def in_old_words(request: Request) -> Response:
            try:
                return await handle(request)
            except BlazzError as error:
                return refused(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"] if part != "body")
                return _answer(422, "invalid", f"{where}: {first['msg']}")

        return in_old_words


def answered(**fields: Any) -> Response:
    """What went well."""
    return Response(orjson.dumps({"success": True, **fields}), media_type="application/json")


def refused(error: BlazzError) -> Response:
    """What did not."""
    more = {} if error.retry_after is None else {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return _answer(error.status, error.code, error.detail, more)


def _answer(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = {"success": False, "error": detail, "code": code}
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")
