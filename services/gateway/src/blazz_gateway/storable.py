"""Text that every store of ours takes: PostgreSQL has no NUL, and half a surrogate pair has no UTF-8 form."""

import re
from typing import Any

from blazz_chassis.errors import Invalid
from pydantic import BaseModel

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_DEEPEST = 30
"""Levels of free JSON in a request. WhatsApp's own objects have about 8."""


def check(value: Any, field: str = "", depth: int = 0) -> None:
    """Raise `Invalid` naming the first field of a request that could not be stored."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise Invalid("holds a character that is no text (NUL, or half of a surrogate pair)", field=field)
    elif isinstance(value, (BaseModel, dict, list)):
        if depth >= _DEEPEST:
            raise Invalid("is nested too deep", field=field)
        pairs = (
            enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else iter(value)
        )
        for name, inner in pairs:
            if isinstance(name, str):
                check(name, field or name, depth)
            check(inner, f"{field}.{name}" if field else str(name), depth + 1)
