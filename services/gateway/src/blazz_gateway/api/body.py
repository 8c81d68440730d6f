"""Bodies that may be a form or JSON, as old and browser clients send them."""

from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError

from blazz_gateway.errors import Malformed

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MOST_FIELDS = 50


async def form_or_json(request: Request) -> dict[str, Any]:
    """Return the body's fields. Raises `Malformed` when it is not what its content type says."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        # No files: none of these forms has any.
        async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Malformed("the body is neither a form nor JSON") from error
    if not isinstance(body, dict):
        raise RequestValidationError(
            [{"type": "dict_type", "loc": ("body",), "msg": "must be an object", "input": None}]
        )
    return body
