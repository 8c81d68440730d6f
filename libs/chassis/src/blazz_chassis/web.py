"""Middleware: correlation and trace context, access log and metrics, body limit.

Pure ASGI: BaseHTTPMiddleware costs a task and two streams a request.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import suppress

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blazz_chassis import context, metrics, problem, tracing
from blazz_chassis.errors import TooLarge, TooSlow

log = structlog.get_logger(__name__)

# What goes into logs and message headers unchanged. A header of a message has 255 bytes at most, not characters.
_REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# A body that trickles in holds a connection for nothing. A phone on a bad line does 20 kB/s.
SLOWEST_BODY = 5_000.0  # bytes a second
BODY_PATIENCE = 10.0  # seconds
_UNLOGGED = ("/livez", "/readyz", "/metrics")


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


class RequestContext:
    """Gives each request its correlation id (`X-Request-Id`, in and out), trace context, log line and metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        identifier = given if _REQUEST_ID.fullmatch(given) else context.new_correlation_id()
        parent = _header(scope, b"traceparent")
        started = time.perf_counter()
        status, begun = 500, False

        async def sending(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", identifier.encode("latin-1"))]
            await send(message)

        method, path = scope["method"], scope["path"]
        with context.correlated(identifier, parent if _TRACEPARENT.fullmatch(parent) else None):
            try:
                with tracing.span(f"{method} {path.split('/')[1]}", parent or None, kind="server"):
                    await self._app(scope, receive, sending)
            except Exception as error:
                # Answered here, while the correlation id is known; it goes no further, so that it is logged once.
                log.error("request_crashed", method=method, path=path, exc_info=error)
                if not begun:
                    await problem.crashed()(scope, receive, sending)
            finally:
                seconds = time.perf_counter() - started
                # The router leaves the matched route in the scope; an unknown path must not become a label.
                route = getattr(scope.get("route"), "path", "unmatched")
                metrics.http_requests.labels(method, route, status).inc()
                metrics.http_seconds.labels(route).observe(seconds)
                if path not in _UNLOGGED:
                    log.info(
                        "http_request",
                        method=method,
                        path=path,
                        route=route,
                        status=status,
                        ms=round(seconds * 1000, 1),
                    )


class BodyLimit:
    """Refuses bodies over a limit with 413: at once by Content-Length, else as soon as too much has come."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        default: int,
        by_prefix: Mapping[str, int] | None = None,
        slowest: float = SLOWEST_BODY,
        patience: float = BODY_PATIENCE,
    ) -> None:
        """`default` in bytes; `by_prefix` gives other limits to paths that begin so (the longest match counts).

        A body may take `patience` seconds, and as many more as its bytes need at `slowest` bytes a second.
        """
        self._app, self._default = app, default
        self._slowest, self._patience = slowest, patience
        self._by_prefix = sorted((by_prefix or {}).items(), key=lambda item: -len(item[0]))

    def limit_of(self, path: str) -> int:
        """Return the limit in bytes for a path."""
        return next((limit for prefix, limit in self._by_prefix if path.startswith(prefix)), self._default)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        length = _header(scope, b"content-length")
        if length.isdigit() and int(length) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        taken, started, complete = 0, False, False
        refused: ASGIApp | None = None
        began = time.monotonic()

        async def receiving() -> Message:
            nonlocal taken, refused, complete
            if complete:  # what comes now is a disconnect, whenever it comes
                return await receive()
            left = began + self._patience + taken / self._slowest - time.monotonic()
            try:
                async with asyncio.timeout(max(left, 0)):
                    message = await receive()
            except TimeoutError:
                refused = _too_slow()
                raise _Exceeded from None
            if message["type"] == "http.request":
                complete = not message.get("more_body", False)
                taken += len(message.get("body", b""))
                if taken > limit:
                    refused = _too_large(limit)
                    raise _Exceeded
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            # What the app answers to a body cut short is not said; ours is, below.
            if refused is None:
                started = started or message["type"] == "http.response.start"
                await send(message)

        with suppress(_Exceeded):
            await self._app(scope, receiving, sending)
        if refused is not None and not started:
            await refused(scope, receive, send)


class _Exceeded(Exception):
    pass


def _too_slow() -> ASGIApp:
    answer = problem.of_error(TooSlow("the body came too slowly, and the connection is closed; send it again"))
    answer.headers["connection"] = "close"
    return answer


def _too_large(limit: int) -> ASGIApp:
    answer = problem.of_error(TooLarge(f"the body may have {limit} bytes at most"))
    answer.headers["connection"] = "close"
    return answer
