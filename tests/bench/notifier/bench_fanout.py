"""What a delivery costs: one message to 10,000 listeners on real sockets.

    python tests/bench/notifier/bench_fanout.py [--listeners 10000] [--messages 20] [--items 50]

The listeners are raw sockets of a second process that reads and counts bytes, so that the figures (CPU time of the
server's process) are the server's alone. It measures what the notifier does (`Fanout`), `websockets.broadcast` for
comparison, and the same number of messages as one batch (as `status.updated` brings them).
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import select
import socket
import sys
import time
from multiprocessing.connection import Connection

import uvloop
from blazz_notifier import frame
from blazz_notifier.channel_name import read
from blazz_notifier.fanout import Batch, Fanout
from blazz_notifier.registry import Registry
from blazz_notifier.socket import Socket
from websockets.asyncio.server import broadcast, serve

CHANNEL = "private-workspace.0190f3a2-7e1b-7cc1-9d5f-2c5f6f6d7a01"
PAYLOAD = json.dumps({"chat": {"uuid": CHANNEL[-36:], "contact_id": CHANNEL[-36:], "status": "delivered"}})
HANDSHAKE = (
    b"GET /app/key?protocol=7 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def listeners(port: int, count: int, control: Connection) -> None:
    """Connect `count` sockets; answer each wanted number of bytes with `True` once they were read."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    epoll, sockets = select.epoll(), {}
    for number in range(count):
        # 28,000 ports an address: spread over several local addresses.
        made = socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.0.{2 + number // 20_000}", 0))
        made.sendall(HANDSHAKE)
        head = b""
        while b"\r\n\r\n" not in head:
            head += made.recv(4096)
        made.setblocking(False)
        sockets[made.fileno()] = made
        epoll.register(made.fileno(), select.EPOLLIN)
    control.send(True)
    while (wanted := control.recv()) is not None:
        got = 0
        while got < wanted:
            for descriptor, _ in epoll.poll(1):
                got += len(sockets[descriptor].recv(262_144))
        control.send(True)


async def measure(arguments: argparse.Namespace) -> None:
    """Run all measurements and print a line each."""
    registry = Registry()
    channel = read(CHANNEL)

    async def handle(connection: object) -> None:
        assert isinstance(connection, Socket)
        registry.open(connection)
        registry.subscribe(connection, channel)
        await connection.wait_closed()

    before = resident()
    server = await serve(
        handle,
        "127.0.0.1",
        0,
        create_connection=Socket,
        compression=None,
        ping_interval=None,
        write_limit=1_000_000,
        backlog=1000,
    )
    port = server.sockets[0].getsockname()[1]
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=listeners, args=(port, arguments.listeners, theirs))
    process.start()
    await asyncio.to_thread(ours.recv)
    while len(registry.sockets) < arguments.listeners:
        await asyncio.sleep(0.01)
    memory = (resident() - before) / arguments.listeners
    sys.stdout.write(f"{arguments.listeners} listeners, {memory / 1024:.1f} KB of memory each\n")

    fanout, data = Fanout(registry), frame.message("chat.status", channel=CHANNEL, encoded=PAYLOAD)
    text = data[4:] if len(data) > 129 else data[2:]

    async def one_by_one() -> None:
        for _ in range(arguments.messages):
            batch = Batch(CHANNEL)
            batch.add(frame.message("chat.status", channel=CHANNEL, encoded=PAYLOAD))
            await fanout.send(batch)
            await asyncio.sleep(0)

    async def in_a_row() -> None:
        # As they come when several wait in the instance's queue: nothing lets the loop write in between.
        for _ in range(arguments.messages):
            batch = Batch(CHANNEL)
            batch.add(frame.message("chat.status", channel=CHANNEL, encoded=PAYLOAD))
            await fanout.send(batch)
        await asyncio.sleep(0)

    async def librarys_broadcast() -> None:
        sockets = list(registry.sockets.values())
        for _ in range(arguments.messages):
            broadcast(sockets, text, text=True)
            await asyncio.sleep(0)

    async def batched() -> None:
        for _ in range(max(1, arguments.messages // arguments.items)):
            batch = Batch(CHANNEL)
            for _ in range(arguments.items):
                batch.add(frame.message("chat.status", channel=CHANNEL, encoded=PAYLOAD))
            await fanout.send(batch)
            await asyncio.sleep(0)

    batches = max(1, arguments.messages // arguments.items) * arguments.items
    for name, work, messages in (
        ("fanout, one message each", one_by_one, arguments.messages),
        ("fanout, messages that had to wait", in_a_row, arguments.messages),
        ("websockets.broadcast()", librarys_broadcast, arguments.messages),
        (f"fanout, {arguments.items} items a message", batched, batches),
    ):
        deliveries = messages * arguments.listeners
        ours.send(deliveries * len(data))
        cpu, wall = time.process_time(), time.perf_counter()
        await work()
        cpu = time.process_time() - cpu
        await asyncio.to_thread(ours.recv)
        wall = time.perf_counter() - wall
        sys.stdout.write(
            f"{name:36} {cpu / deliveries * 1e6:6.2f} µs CPU a delivery, {deliveries / wall:10,.0f} deliveries/s\n"
        )
    ours.send(None)
    await asyncio.to_thread(process.join)
    server.close()
    await server.wait_closed()


def resident() -> int:
    """Bytes of memory this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--listeners", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--items", type=int, default=20)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    uvloop.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
