"""The HTTP server's connections, with bounds that uvicorn does not have: for the size of a head and the time it takes.

A head that never ends, a client that says nothing, a body that trickles in after its answer: each would hold memory or
a descriptor for as long as the client likes.
"""

import asyncio
import resource
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

_REFUSED = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HeadTooLarge(Exception):
    """Raised inside the parser, which makes a 400 of it."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. The server's own class is a subclass of it, with the settings' values."""

    head_bytes = 65_536
    """Of a request line with its headers (and of trailers). nginx takes 32 KB, our own largest cookies have 1 KB."""
    head_seconds = 10.0
    """From the connection, or the first byte of a later request, until the head is complete."""
    most_connections = 4_000
    """Over it requests are answered 503 (uvicorn's `limit_concurrency`); over twice as many, connections are closed."""

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _in_body = False
    _fields = 0
    _unparsed = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected: it has so long to say what it wants."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self.most_connections:
            transport.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._waited()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and see how much it holds that is no body."""
        if self.transport.is_closing():
            return
        self._unparsed += len(data)
        if self._in_head and self._deadline is None:
            self._wait()
        super().data_received(data)
        # A single header that does not end is held by the parser, which tells nobody of it.
        if self._unparsed > self.head_bytes + len(data) and not self.transport.is_closing():
            log.info("http_head_too_large", bytes=self._unparsed)
            self.transport.write(_REFUSED)
            self.transport.close()

    # --- what the parser tells

    def on_message_begin(self) -> None:
        """A request begins."""
        self._fields = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        # An empty one costs as much memory as a short one.
        self._count(len(name) + len(value) + 32)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._waited()
        self._in_head, self._in_body, self._unparsed = False, True, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body; how large one may be, and how slow, the service's middleware says."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here as a whole."""
        self._waited()
        self._in_head, self._in_body, self._unparsed = True, False, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered. What is left of its body nobody reads."""
        super().on_response_complete()
        if self._in_body and self._deadline is None:
            self._wait()

    # --- time and size

    def _count(self, size: int) -> None:
        self._fields += size
        if self._fields > self.head_bytes:
            raise HeadTooLarge

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self._too_late)

    def _waited(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # an earlier request is being answered, which comes first
            return
        self.transport.close()


def bounded(*, head_seconds: float, most_connections: int) -> type[BoundedProtocol]:
    """The protocol with these values."""
    values: dict[str, Any] = {"head_seconds": head_seconds, "most_connections": most_connections}
    return type("Connection", (BoundedProtocol,), values)


def allow_many_files() -> None:
    """Take all file descriptors the system allows: the usual soft limit of 1,024 is less than the clients we serve."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
