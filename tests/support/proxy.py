"""A way to a server that can be cut: a TCP proxy."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit


class Proxy:
    """Forwards connections; `cut` closes them and refuses new ones until `mend`, `freeze` says nothing until `thaw`."""

    def __init__(self, target: str) -> None:
        self._parts = urlsplit(target)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def url(self) -> str:
        """The target's address through the proxy."""
        user = f"{self._parts.username}:{self._parts.password}@" if self._parts.username else ""
        return self._parts._replace(netloc=f"{user}127.0.0.1:{self._port}").geturl()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def aim(self, target: str) -> None:
        """Forward new connections elsewhere, as a load balancer does."""
        self._parts = urlsplit(target)

    async def mend(self) -> None:
        """Accept connections, on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close every connection and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Go silent: connections stay, and nothing comes through."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let through what came meanwhile, and all else."""
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with suppress(OSError):
                to_reader, to_writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
                self._writers.add(to_writer)
                await asyncio.gather(self._pump(reader, to_writer), self._pump(to_reader, writer))
                self._writers.discard(to_writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
