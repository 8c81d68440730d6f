"""A client that sends texts over a few connections and does nothing else, so that the simulator is the limit."""

import asyncio

import orjson

CONNECTIONS = 32


def request(number: str, token: str, host: str) -> bytes:
    """Return one text send as bytes, with callback data of the length Blazz uses."""
    body = orjson.dumps(
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "4915112345678",
            "type": "text",
            "text": {"body": "Your order is on its way."},
            "biz_opaque_callback_data": "0190c5d2-7d3b-7c3e-8f4e-1b2c3d4e5f60:1",
        }
    )
    head = (
        f"POST /v23.0/{number}/messages HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """Send, wait for a whole 200, send again."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.finished = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def next(self) -> None:
        if self.load.left == 0:
            self.finished = True
            self.transport.close()
            return
        self.load.left -= 1
        self.transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) >= length:
            assert head.startswith(b"HTTP/1.1 200"), self.buffer
            self.buffer = rest[length:]
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.finished:
            self.done.set_result(None)
        else:
            self.done.set_exception(exc or ConnectionError("closed early"))


class Load:
    """`count` sends over 32 connections."""

    def __init__(self, request: bytes, count: int) -> None:
        self.request = request
        self.left = count

    async def run(self, host: str, port: int) -> None:
        """Send them all."""
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: _Connection(self), host, port))[1] for _ in range(CONNECTIONS)
        ]
        for connection in connections:
            connection.next()
        await asyncio.gather(*(connection.done for connection in connections))


def send(host: str, port: int, number: str, token: str, count: int) -> None:
    """Send `count` texts, in an event loop of its own."""
    asyncio.run(Load(request(number, token, host), count).run(host, port))
