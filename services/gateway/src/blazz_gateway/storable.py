"""What every store of ours takes, and what it may cost.

PostgreSQL has no NUL, half a surrogate pair has no UTF-8 form, and the JSON that services exchange has numbers of 64
bits at most. What is checked here fails nobody later, in a batch that it shares with others.
"""

import math
import re
from typing import Any

import orjson
from blazz_chassis.errors import Invalid
from pydantic import BaseModel

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_DEEPEST = 30
"""Levels of free JSON in a request. WhatsApp's own objects have about 8."""
_LARGEST = 65_536
"""Bytes of free JSON in one field. WhatsApp's largest, a long interactive list or 257 cards, has about 30,000."""


def check(value: Any, field: str = "", depth: int = 0) -> None:
    """Raise `Invalid` naming the first field of a request that could not be stored."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise Invalid("holds a character that is no text (NUL, or half of a surrogate pair)", field=field)
    elif isinstance(value, (int, float)):
        if (isinstance(value, int) and value.bit_length() > 63) or not math.isfinite(value):
            raise Invalid("is no number of 64 bits", field=field)
    elif isinstance(value, (BaseModel, dict, list)):
        if depth >= _DEEPEST:
            raise Invalid("is nested too deep", field=field)
        pairs = (
            enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else iter(value)
        )
        for name, inner in pairs:
            if isinstance(name, str):
                check(name, field or name, depth)
            below = f"{field}.{name}" if field else str(name)
            check(inner, below, depth + 1)
            if isinstance(value, BaseModel) and _is_free(inner) and len(orjson.dumps(inner)) > _LARGEST:
                raise Invalid(f"has more than {_LARGEST} bytes", field=below)


def _is_free(value: Any) -> bool:
    """Whether it is JSON of the client's own making."""
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value)
    )
