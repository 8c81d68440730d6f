"""What a request to send says beside its body, and what its answer does."""

import re

from blazz_chassis.errors import Invalid
from fastapi import Request
from pydantic import BaseModel

from blazz_gateway.sending import Sent
from blazz_gateway.socket import SOCKET_ID

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def key(request: Request) -> str | None:
    """Its Idempotency-Key. Raises `Invalid`."""
    named = request.headers.get("idempotency-key")
    if named is not None and not _KEY.fullmatch(named):
        raise Invalid("has 1 to 255 printable ASCII characters", field="Idempotency-Key")
    return named


def fingerprint(asked: BaseModel) -> bytes:
    """What makes it another request under the same key."""
    # Without what is left at its default, so that a field a later version adds does not make it another request.
    return asked.model_dump_json(exclude_defaults=True).encode()


def socket_id(request: Request) -> str | None:
    """The websocket that causes it."""
    named = request.headers.get("x-socket-id")
    # pusher-js before its connection is there sends `undefined` or nothing: then nobody is left out.
    return named if named and SOCKET_ID.fullmatch(named) else None


def headers(sent: Sent) -> dict[str, str]:
    """Where the message is found, whether it was asked for before, what the rate leaves."""
    made = {"Location": f"/api/v1/messages/{sent.answer['id']}"}
    if sent.replayed:
        made["Idempotency-Replayed"] = "true"
    if sent.rate is not None:
        made |= sent.rate.headers()
    return made
