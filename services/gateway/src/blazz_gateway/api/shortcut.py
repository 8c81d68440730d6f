"""Webhooks before the router: at Meta's volume, routing and dependencies cost more than the webhook itself.

Innermost of the middleware, so that body limit, correlation, metrics and logs are the same as everywhere. The route in
`webhooks.py` does the same and has it in the OpenAPI document.
"""

from types import SimpleNamespace

import structlog
from blazz_chassis import problem
from blazz_chassis.errors import BlazzError
from starlette.types import ASGIApp, Receive, Scope, Send

from blazz_gateway.webhooks.intake import Intake

log = structlog.get_logger(__name__)

PREFIX = "/webhooks/whatsapp/"
_ROUTE = SimpleNamespace(path="/webhooks/whatsapp/{identifier}")
TAKEN = b'{"status":"ok"}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(TAKEN)).encode())],
}


class WebhookShortcut:
    """ASGI middleware that answers `POST /webhooks/whatsapp/{identifier}` itself."""

    def __init__(self, app: ASGIApp, intake: Intake) -> None:
        self._app, self._intake = app, intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        # For the metrics' label.
        scope["route"] = _ROUTE
        body = await _body(receive)
        if body is None:
            return
        try:
            await self._intake.take(scope["path"].removeprefix(PREFIX), body, _signature(scope))
        except BlazzError as error:
            if error.status >= 500:
                log.warning("webhook_turned_away", code=error.code, cause=repr(error.__cause__))
            await problem.of_error(error)(scope, receive, send)
            return
        # A copy: the middleware outside adds headers to it.
        await send(dict(_START))
        await send({"type": "http.response.body", "body": TAKEN})


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _signature(scope: Scope) -> str:
    return next((str(value, "latin-1") for name, value in scope["headers"] if name == b"x-hub-signature-256"), "")
