"""Pusher's two signatures: of a subscription, and of a request to the HTTP API."""

import hashlib
import hmac
import time
from collections.abc import Iterable

MAX_CLOCK_SKEW = 600  # seconds; Pusher's own


def _hmac(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign_subscription(key: str, secret: str, socket_id: str, channel: str, channel_data: str | None = None) -> str:
    """The `auth` of a subscription: `{key}:{hmac}` of `socket_id:channel[:channel_data]`."""
    signed = f"{socket_id}:{channel}" if channel_data is None else f"{socket_id}:{channel}:{channel_data}"
    return f"{key}:{_hmac(secret, signed)}"


def subscription_is_signed(
    auth: str, *, key: str, secret: str, socket_id: str, channel: str, channel_data: str | None = None
) -> bool:
    """Whether `auth` was made with the secret, for this very socket, channel and member."""
    expected = sign_subscription(key, secret, socket_id, channel, channel_data)
    return hmac.compare_digest(auth.encode(), expected.encode())


def sign_request(secret: str, method: str, path: str, query: Iterable[tuple[str, str]]) -> str:
    """The `auth_signature` of an HTTP request: the HMAC of method, path and query, keys in lower case and sorted."""
    pairs = sorted((name.lower(), value) for name, value in query if name.lower() != "auth_signature")
    return _hmac(secret, "\n".join((method.upper(), path, "&".join(f"{name}={value}" for name, value in pairs))))


def request_problem(
    *,
    key: str,
    secret: str,
    method: str,
    path: str,
    query: list[tuple[str, str]],
    body: bytes,
    now: float | None = None,
) -> str | None:
    """Why a request to the HTTP API is not to be trusted; None when it is."""
    given = {name.lower(): value for name, value in query}
    if len(given) != len(query):
        return "A query parameter is named twice"
    if given.get("auth_key") != key:
        return "auth_key names no application"
    if given.get("auth_version") != "1.0":
        return "auth_version must be 1.0"
    try:
        age = abs((time.time() if now is None else now) - int(given.get("auth_timestamp", "")))
    except ValueError:
        return "auth_timestamp must be a Unix time in seconds"
    if age > MAX_CLOCK_SKEW:
        return f"auth_timestamp is more than {MAX_CLOCK_SKEW} s away from the server's clock"
    if body and not hmac.compare_digest(
        given.get("body_md5", "").encode(), hashlib.md5(body, usedforsecurity=False).hexdigest().encode()
    ):
        return "body_md5 is not that of the body"
    expected = sign_request(secret, method, path, query)
    if not hmac.compare_digest(given.get("auth_signature", "").encode(), expected.encode()):
        return "auth_signature is not valid"
    return None
