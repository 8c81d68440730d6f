"""A webhook's body as Python values that can be published again."""

import json
import re
from typing import Any

from blazz_chassis.errors import BlazzError
from pydantic_core import from_json

from blazz_gateway.errors import Malformed

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
"""Halves of surrogate pairs (no UTF-8 form) and NUL (PostgreSQL takes it neither in text nor in jsonb)."""


class Unpublishable(BlazzError):
    """It is JSON, but nested too deep or with numbers too large to be handed on as such; `text` has it whole."""

    code, title, status = "unpublishable", "The body is JSON that cannot be handed on as it is", 422

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def parsed(body: bytes) -> Any:
    """Return what the body holds. Raises `Malformed` when it is no JSON, `Unpublishable` when we cannot carry it.

    The fast parser is the very one that consumers read with: what it takes, they take.
    """
    if b"\\u0000" not in body:
        try:
            return from_json(body, allow_inf_nan=False)
        except ValueError:
            pass
    try:
        text = body.decode()
        return _storable(json.loads(text, parse_constant=_no_constant))
    except RecursionError:
        raise Unpublishable(body.decode()) from None
    except ValueError as error:
        raise Malformed("the body is not JSON") from error


def storable_text(text: str) -> str:
    """The text with a replacement character for what no store of ours takes."""
    return _UNSTORABLE.sub("\ufffd", text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _storable(value: Any, depth: int = 0) -> Any:
    """The same with a replacement character for what no store of ours takes: half an emoji must not lose a message."""
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each, depth + 1) for key, each in value.items()}
    return value


_DEEPEST = 150
"""Levels. Consumers' parser stops at 200 and orjson at 254; WhatsApp's own bodies have about 12."""
