"""A connection costs no more than it may: in memory, in time, in number."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from blazz_chassis.app import Service
from blazz_chassis.http_server import HttpServer
from blazz_chassis.settings import ServiceSettings
from fastapi import Request

from tests.support.polling import until

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A service's server on a port, with what a client does to it."""

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.streams: list[Streams] = []

    async def connect(self) -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", self.server.port)
        self.streams.append(streams)
        return streams

    @property
    def connections(self) -> int:
        """How many the server has."""
        return len(self.server.server_state.connections)

    async def answer(self, *pieces: bytes) -> bytes:
        """All that is answered until the server closes the connection."""
        reader, writer = await self.connect()
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        with suppress(ConnectionError):
            async with asyncio.timeout(10):
                return await reader.read()
        return b""


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    more = getattr(request, "param", {})
    settings = ServiceSettings(**{"http_port": 0, "shutdown_timeout": 4, "http_head_seconds": 0.3, **more})
    service = Service("chassis", settings)

    @service.http_app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @service.http_app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.7)
        return "slow"

    http = HttpServer(service.http_app, settings, host="127.0.0.1", port=0)
    await http.begin()
    made = Server(http)
    yield made
    for _, writer in made.streams:
        writer.close()
    await http.finish()


START = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("server", [{"http_head_seconds": 30}], indirect=True)
@pytest.mark.parametrize(
    "pieces",
    [
        [b"a: b\r\n" * 20_000] * 100,
        [b"a: " + b"b" * 100_000] + [b"b" * 100_000] * 100,
        [b"a" * 100_000] * 100,
    ],
    ids=["many headers", "an endless value", "an endless name"],
)
async def test_a_head_that_does_not_end_is_cut_off(server: Server, pieces: list[bytes]) -> None:
    assert (await server.answer(START, *pieces))[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")
    assert (await server.answer(START + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("server", [{"http_head_seconds": 30}], indirect=True)
async def test_trailers_have_the_same_bound(server: Server) -> None:
    begin = b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    await server.answer(begin, *[b"a: b\r\n" * 20_000] * 20)
    await server.answer(begin, *[b"a" * 100_000] * 20)
    await until(lambda: not server.connections)


async def test_who_says_nothing_or_half_of_it_is_let_go(server: Server) -> None:
    assert await server.answer() == b""
    assert await server.answer(START) == b""
    # On a connection that has served a request, too.
    assert (await server.answer(START + b"\r\n", START)).startswith(b"HTTP/1.1 200")


async def test_a_request_that_is_being_answered_is_not_cut_off_by_half_of_the_next(server: Server) -> None:
    answer = await server.answer(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + START)
    assert b'"slow"' in answer


async def test_a_body_that_nobody_reads_any_more_is_not_waited_for(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404")

    async def trickled() -> bool:
        with suppress(ConnectionError):
            writer.write(b"x")
            await writer.drain()
        return reader.at_eof() or writer.transport.is_closing()

    reading = asyncio.create_task(reader.read())
    await until(trickled, 3)
    reading.cancel()


@pytest.mark.parametrize("server", [{"http_head_seconds": 30, "http_connections": 3}], indirect=True)
async def test_over_so_many_connections_requests_are_refused_and_over_twice_as_many_closed(server: Server) -> None:
    held = [await server.connect() for _ in range(3)]
    await until(lambda: server.connections == 3)
    assert (await server.answer(START + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 503")
    held += [await server.connect() for _ in range(3)]
    assert await server.answer() == b""
    for _, writer in held:
        writer.close()
    await until(lambda: not server.connections)
    assert (await server.answer(START + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
