"""Notifiers, clients that look at every frame, and a broker that can be cut off."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from blazz_chassis.publisher import Publisher
from blazz_local import npm
from blazz_notifier.main import Notifier, build
from blazz_notifier.settings import Settings
from blazz_notifier.signature import sign_subscription
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame
from websockets.uri import parse_uri

from tests.support.proxy import Proxy


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(vhost: str) -> AsyncIterator[Proxy]:
    """A way to this module's virtual host that can be cut."""
    made = Proxy(vhost)
    await made.mend()
    yield made
    await made.cut()


@pytest_asyncio.fixture(loop_scope="session")
async def front() -> AsyncIterator[Proxy]:
    """A load balancer in front of notifiers: `aim` it first."""
    made = Proxy("tcp://127.0.0.1:1")
    await made.mend()
    yield made
    await made.cut()


Eventually = Callable[..., Awaitable[None]]


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """`await eventually(lambda: condition)`: poll until it holds, fail after `within` seconds (10)."""

    async def wait(condition: Callable[[], object], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - the condition is of other processes too
                await asyncio.sleep(0.01)

    return wait


FOLDER = Path(__file__).parent / "js"


@pytest.fixture(scope="session")
def node_binary() -> Path:
    """Node."""
    return npm.NODE


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def packages() -> Path:
    """The public clients, unmodified."""
    await asyncio.to_thread(npm.install, FOLDER)
    return FOLDER


KEY, SECRET, APP_ID = "app-key", "app-secret", "app-id"


class Client:
    """A websocket client that speaks the Pusher protocol by hand, so that every frame can be looked at."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.socket_id = ""
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self.connection:
                frame = json.loads(text)
                if isinstance(frame.get("data"), str):
                    with suppress(ValueError):
                        frame["data"] = json.loads(frame["data"])
                self.frames.append(frame)

    @property
    def close_code(self) -> int | None:
        """The close code, once it is closed."""
        return self.connection.close_code

    async def send(self, event: str, data: Any = None, channel: str | None = None) -> None:
        """Send one message."""
        content = {"event": event, "data": data, "channel": channel}
        await self.connection.send(json.dumps({name: value for name, value in content.items() if value is not None}))

    def named(self, event: str, channel: str | None = None) -> list[Any]:
        """Data of the frames of that name so far."""
        return [f.get("data") for f in self.frames if f["event"] == event and channel in (None, f.get("channel"))]

    async def next(self, event: str, *, channel: str | None = None, count: int = 1, within: float = 10) -> Any:
        """Wait for the `count`th frame of that name and return its data."""
        try:
            async with asyncio.timeout(within):
                while len(found := self.named(event, channel)) < count:  # noqa: ASYNC110 - it is another process's
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"no {event} (number {count}) on {channel}; there were {self.frames}") from None
        return found[count - 1]

    async def closed(self, within: float = 10) -> int | None:
        """Wait until the server has closed, and return the code."""
        async with asyncio.timeout(within):
            await self._reader
        return self.close_code

    async def subscribe(self, channel: str, member: dict[str, Any] | None = None, *, wait: bool = True) -> Any:
        """Subscribe, signed if need be; return the data of the answer."""
        data: dict[str, Any] = {"channel": channel}
        channel_data = None if member is None else json.dumps(member)
        if channel_data is not None:
            data["channel_data"] = channel_data
        if channel.startswith(("private-", "presence-")):
            data["auth"] = sign_subscription(KEY, SECRET, self.socket_id, channel, channel_data)
        count = len(self.named("pusher_internal:subscription_succeeded", channel)) + 1
        await self.send("pusher:subscribe", data)
        if not wait:
            return None
        return await self.next("pusher_internal:subscription_succeeded", channel=channel, count=count)

    async def ping(self) -> None:
        """Come back when the server has handled everything sent before."""
        count = len(self.named("pusher:pong")) + 1
        await self.send("pusher:ping", {})
        await self.next("pusher:pong", count=count)

    async def close(self) -> None:
        """Close."""
        await self.connection.close()
        await self._reader


class Instance:
    """A notifier in this process."""

    def __init__(self, service: Notifier) -> None:
        self.service = service
        self.clients: list[Client] = []
        self._serving = asyncio.create_task(service.serve())

    @property
    def ws_port(self) -> int:
        """Where the sockets are."""
        assert self.service.websockets.port is not None
        return self.service.websockets.port

    @property
    def http_url(self) -> str:
        """Where the HTTP API is."""
        return f"http://127.0.0.1:{self.service.port}"

    async def ready(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(20):
            while not (self.service.started.is_set() and self.service.queue.connected and self.service.websockets.port):
                if self._serving.done():
                    self._serving.result()
                await asyncio.sleep(0.01)

    async def connect(self, path: str = f"/app/{KEY}?protocol=7&client=js&version=8.6.0", **options: Any) -> Client:
        """Open a socket; returns when it is established or refused."""
        client = Client(await connect(f"ws://127.0.0.1:{self.ws_port}{path}", **options))
        self.clients.append(client)
        async with asyncio.timeout(10):
            while not client.frames:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        if client.frames[0]["event"] == "pusher:connection_established":
            client.socket_id = client.frames[0]["data"]["socket_id"]
        return client

    async def stop(self) -> None:
        """As SIGTERM does."""
        self.service.stop()
        await self._serving
        for client in self.clients:
            await client.close()


MakeNotifier = Callable[..., Awaitable[Instance]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(make_database: Any) -> Any:
    """A database for this module."""
    return await make_database("notifier")


@pytest_asyncio.fixture(loop_scope="session")
async def notifier(vhost: str, database: Any) -> AsyncIterator[MakeNotifier]:
    """`await notifier(**settings)` starts an instance on this module's broker and database."""
    made: list[Instance] = []

    async def make(**settings: Any) -> Instance:
        given: dict[str, Any] = {
            "env": "local",
            "instance": f"test-{len(made)}",
            "http_port": 0,
            "notifier_ws_port": 0,
            "amqp_url": vhost,
            "database_api_url": database.api_url,
            "database_worker_url": database.worker_url,
            "pusher_app_id": APP_ID,
            "pusher_key": KEY,
            "pusher_secret": SECRET,
            "notifier_drain": 0.1,
            **settings,
        }
        instance = Instance(build(Settings(**given)))
        made.append(instance)
        await instance.ready()
        return instance

    yield make
    for instance in made:
        await instance.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publisher(vhost: str) -> AsyncIterator[Publisher]:
    """Publishes as chat or gateway would."""
    made = Publisher(vhost, service="test", timeout=10)
    await made.start()
    await made.declared.wait()
    yield made
    await made.stop()


class Stuck:
    """A client that subscribes and then reads no more."""

    def __init__(self, port: int, channel: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/app/app-key?protocol=7"))
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        frame = json.loads(self._read_frame().data)
        socket_id = json.loads(frame["data"])["socket_id"]
        auth = sign_subscription("app-key", "app-secret", socket_id, channel)
        data = {"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}}
        self._protocol.send_text(json.dumps(data).encode())
        self._flush()
        self._read_frame()

    def _flush(self) -> None:
        self._socket.sendall(b"".join(self._protocol.data_to_send()))

    def _read_frame(self) -> Frame:
        while True:
            self._protocol.receive_data(self._socket.recv(4096))
            for event in self._protocol.events_received():
                if isinstance(event, Frame):
                    return event

    def close(self) -> None:
        """Close the connection without a word."""
        self._socket.close()


@pytest_asyncio.fixture(loop_scope="session")
async def get_stuck() -> AsyncIterator[Callable[[int, str], Awaitable[None]]]:
    """`await get_stuck(port, channel)`: somebody subscribes there and never reads again."""
    made: list[Stuck] = []

    async def start(port: int, channel: str) -> None:
        made.append(await asyncio.to_thread(Stuck, port, channel))

    yield start
    for each in made:
        each.close()
