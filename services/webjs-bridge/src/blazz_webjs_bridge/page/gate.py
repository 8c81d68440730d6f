"""Which documents the page may load: those of one site, its own page from a stored copy where one is pinned."""

import asyncio
import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from playwright.async_api import CDPSession, Error

from blazz_webjs_bridge.page.errors import BrowserFailed

log = structlog.get_logger(__name__)


def origin(address: str) -> str:
    """Scheme, host and port, as `location.origin` says them."""
    parts = urlsplit(address)
    port = {"https": 443, "http": 80}.get(parts.scheme)
    shown = f":{parts.port}" if parts.port not in (None, port) else ""
    return f"{parts.scheme}://{parts.hostname}{shown}"


def stored_copy(version: str, folder: Path | None) -> bytes:
    """The page of a pinned version: `{folder}/{version}.html`. Raises `BrowserFailed`.

    It is read from there and nowhere else: who pins a version has put it there.
    """
    if folder is None:
        raise BrowserFailed(f"WhatsApp Web {version} is pinned, and no folder with stored versions is set.")
    path = folder / f"{version}.html"
    try:
        if path.resolve().parent != folder.resolve():
            raise OSError("not in the folder")
        return path.read_bytes()
    except OSError as error:
        raise BrowserFailed(f"There is no stored copy of WhatsApp Web {version} at {path}: {error}") from error


class Gate:
    """Stands before the documents of a page, by the DevTools protocol's Fetch domain.

    Not by Playwright's routes: they stop every request, and turn the browser's cache off.
    """

    def __init__(self, cdp: CDPSession, address: str, html: bytes | None) -> None:
        self._cdp = cdp
        self._address = address.split("#")[0].split("?")[0]
        self._origin = origin(address)
        self._html = html
        self._tasks: set[asyncio.Task[None]] = set()
        cdp.on("Fetch.requestPaused", self._paused)

    async def close_in(self) -> None:
        """Let nothing but the site through from now on."""
        await self._cdp.send("Fetch.enable", {"patterns": [{"urlPattern": "*", "resourceType": "Document"}]})

    def _paused(self, event: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self._decide(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _decide(self, event: dict[str, Any]) -> None:
        request, url = event["requestId"], event["request"]["url"]
        try:
            if urlsplit(url).scheme in ("http", "https", "ws", "wss", "ftp", "file") and origin(url) != self._origin:
                log.warning("page_navigation_refused", origin=origin(url))
                await self._cdp.send("Fetch.failRequest", {"requestId": request, "errorReason": "Aborted"})
            elif self._html is not None and url.split("#")[0].split("?")[0] == self._address:
                await self._cdp.send("Fetch.fulfillRequest", self._stored(request, self._html))
            else:
                await self._cdp.send("Fetch.continueRequest", {"requestId": request})
        except Error:
            log.debug("page_gone_while_loading")  # the page's end is told elsewhere

    @staticmethod
    def _stored(request: str, html: bytes) -> dict[str, Any]:
        return {
            "requestId": request,
            "responseCode": 200,
            "responseHeaders": [{"name": "Content-Type", "value": "text/html; charset=utf-8"}],
            "body": base64.b64encode(html).decode(),
        }
