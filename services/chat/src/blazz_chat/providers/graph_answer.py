"""What Meta's refusal of a question of ours means, whatever was asked."""

from enum import Enum, auto
from typing import Any

import httpx

from blazz_chat.failures import Remedy, remedy_of

# The token is wrong, expired, revoked (190, 102, 104), or lacks a permission (10, 200 to 299). Meta, "Error codes".
_TOKEN_REFUSED = {10, 102, 104, 190, *range(200, 300)}


class No(Enum):
    """Why there is no answer."""

    NOT_NOW = auto()
    """Asking again later may do."""
    TOKEN = auto()
    """The access token is not taken for this."""
    THIS = auto()
    """What was asked for is not there, or not ours."""


def no_of(status: int, error: Any) -> No:
    """Read a refusal: its HTTP status, and the `error` of its body, whatever that is."""
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, int):
        code = None
    passing = code is not None and remedy_of(code) is Remedy.RETRY
    if passing or status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        return No.NOT_NOW
    if code in _TOKEN_REFUSED or status == httpx.codes.UNAUTHORIZED:
        return No.TOKEN
    return No.THIS
