"""The HTTP servers of a service: the public one, and one for whoever operates it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from blazz_chassis.http_protocol import bounded
from blazz_chassis.settings import ServiceSettings


class HttpServer(uvicorn.Server):
    """Serves an application; the service says when it begins and ends."""

    def __init__(self, app: Any, settings: ServiceSettings, *, host: str, port: int) -> None:
        """`port` 0 takes a free one."""
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=bounded(head_seconds=settings.http_head_seconds, most_connections=settings.http_connections),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=max(1, int(settings.shutdown_timeout)),
                limit_concurrency=settings.http_connections,
            )
        )
        self.serving: asyncio.Task[None] | None = None

    async def begin(self) -> "asyncio.Task[None]":
        """Return what serves, when it listens; or when it has ended, since it cannot."""
        self.serving = asyncio.create_task(self.serve(), name="http")
        while not self.started and not self.serving.done():  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        return self.serving

    async def finish(self) -> None:
        """Take no more requests, and return when those there are have been answered."""
        self.should_exit = True
        if self.serving is not None:
            await asyncio.shield(self.serving)

    async def abandon(self) -> None:
        """End it now, whatever it does."""
        if self.serving is not None and not self.serving.done():
            self.force_exit = True
            self.serving.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self.serving

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the service's own order of stopping holds."""
        yield
