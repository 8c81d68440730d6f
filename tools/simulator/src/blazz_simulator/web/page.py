"""One open page, over its websocket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from .device import Device
    from .waiting import Waiting

_BATCH = 200
"""Events put into one frame."""


class Page:
    """Frames go out in order, a burst of them together; a page that does not read is cut off by its backlog."""

    BACKLOG_MAX = 100_000
    """Frames that wait for a page that does not read (a frozen one); beyond it the page is closed."""

    def __init__(self, socket: web.WebSocketResponse, user_agent: str) -> None:
        self.socket = socket
        self.user_agent = user_agent
        self.device: Device | None = None
        self.waiting: Waiting | None = None
        self.active = False
        self._frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(self.BACKLOG_MAX)

    def tell(self, frame: dict[str, Any]) -> None:
        """Send a frame, after those before it."""
        if self._frames.full():
            self.close()
        else:
            self._frames.put_nowait(frame)

    def close(self) -> None:
        """Cut the connection; frames that wait are dropped, as on a real cut."""
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(None)

    def end(self) -> None:
        """Close the connection after the frames that wait."""
        if not self._frames.full():
            self._frames.put_nowait(None)

    async def write(self) -> None:
        """Write frames until the page is closed."""
        while True:
            frames = [await self._frames.get()]
            while not self._frames.empty() and len(frames) < _BATCH:
                frames.append(self._frames.get_nowait())
            shown = [frame for frame in frames if frame is not None]
            if self.socket.closed:
                return
            if shown:
                await self.socket.send_str(orjson.dumps(shown).decode())
            if len(shown) < len(frames):
                await self.socket.close()
                return
