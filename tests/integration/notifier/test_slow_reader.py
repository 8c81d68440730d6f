"""A reader that does not read is cut off, and nobody else feels it."""

import asyncio
import json
import socket
import time
from uuid import uuid4

from blazz_contracts.events import SocketTriggered
from blazz_notifier import metrics
from blazz_notifier.signature import sign_subscription
from websockets.client import ClientProtocol
from websockets.uri import parse_uri


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

    def _read_frame(self):
        while True:
            self._protocol.receive_data(self._socket.recv(4096))
            for event in self._protocol.events_received():
                if hasattr(event, "opcode"):
                    return event

    def close(self) -> None:
        self._socket.close()


async def test_a_slow_reader_is_cut_off_and_the_rest_get_everything_in_time(notifier, publisher, eventually):
    instance = await notifier(notifier_write_buffer=100_000)
    workspace = uuid4()
    channel = f"private-workspace.{workspace}"
    readers = [await instance.connect() for _ in range(5)]
    for reader in readers:
        await reader.subscribe(channel)
    stuck = await asyncio.to_thread(Stuck, instance.ws_port, channel)
    assert len(instance.service.registry.sockets) == 6
    cut = metrics.slow_readers_cut._value.get()
    slowest = 0.0
    number = 0
    # The kernel buffers some megabytes for the stuck one first.
    while len(instance.service.registry.sockets) == 6:
        number += 1
        assert number < 5000
        sent = time.perf_counter()
        await publisher.publish(
            SocketTriggered(workspace_id=workspace, channels=[channel], event="big", data=json.dumps("x" * 9_000))
        )
        for reader in readers:
            await reader.next("big", count=number)
        slowest = max(slowest, time.perf_counter() - sent)
    assert metrics.slow_readers_cut._value.get() == cut + 1
    assert slowest < 1.0
    for reader in readers:
        await reader.ping()
    stuck.close()
