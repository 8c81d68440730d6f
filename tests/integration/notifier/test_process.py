"""The notifier as it is deployed: a process of its own, stopped and killed."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from blazz_contracts.events import SocketTriggered
from blazz_notifier.signature import sign_subscription
from websockets.asyncio.client import connect


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Running:
    """A notifier process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def join(self, channel: str, user: str) -> Any:
        """A connection that is on the presence channel."""
        async with asyncio.timeout(20):
            while True:
                try:
                    connection = await connect(f"ws://127.0.0.1:{self.port}/app/app-key?protocol=7")
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            socket_id = json.loads(json.loads(await connection.recv())["data"])["socket_id"]
            member = json.dumps({"user_id": user})
            auth = sign_subscription("app-key", "app-secret", socket_id, channel, member)
            data = {"channel": channel, "auth": auth, "channel_data": member}
            await connection.send(json.dumps({"event": "pusher:subscribe", "data": data}))
            while json.loads(await connection.recv())["event"] != "pusher_internal:subscription_succeeded":
                pass
        return connection


@pytest_asyncio.fixture(loop_scope="session")
async def run(vhost: str, database: Any) -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    """`await run()` starts `python -m blazz_notifier`."""
    made: list[Running] = []

    async def start(**environment: str) -> Running:
        port = free_port()
        settings = {
            **os.environ,
            "BLAZZ_ENV": "local",
            "BLAZZ_AMQP_URL": vhost,
            **database.environment,
            "BLAZZ_HTTP_PORT": "0",
            "BLAZZ_NOTIFIER_WS_PORT": str(port),
            "BLAZZ_PUSHER_KEY": "app-key",
            "BLAZZ_PUSHER_SECRET": "app-secret",
            "BLAZZ_PUSHER_APP_ID": "app-id",
            **environment,
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "blazz_notifier", env=settings)
        made.append(Running(process, port))
        return made[-1]

    yield start
    for running in made:
        if running.process.returncode is None:
            running.process.kill()
        await running.process.wait()


async def test_members_of_a_killed_instance_leave_when_its_lease_runs_out(run, notifier):
    channel = f"presence-workspace.{uuid4()}"
    survivor = await notifier(notifier_presence_lease=1)
    doomed = await run(BLAZZ_NOTIFIER_PRESENCE_LEASE="1")
    watcher = await survivor.connect()
    await watcher.subscribe(channel, {"user_id": "watcher"})
    lost = await doomed.join(channel, "lost")
    assert (await watcher.next("pusher_internal:member_added"))["user_id"] == "lost"
    doomed.process.kill()
    assert await watcher.next("pusher_internal:member_removed") == {"user_id": "lost"}
    await lost.close()


async def test_a_stopped_instance_closes_its_sockets_with_4200_takes_its_members_off_and_ends_well(run, notifier):
    channel = f"presence-workspace.{uuid4()}"
    survivor = await notifier()
    stopped = await run()
    watcher = await survivor.connect()
    await watcher.subscribe(channel, {"user_id": "watcher"})
    connection = await stopped.join(channel, "gone")
    await watcher.next("pusher_internal:member_added")
    stopped.process.send_signal(signal.SIGTERM)
    await connection.wait_closed()
    assert connection.close_code == 4200
    async with asyncio.timeout(10):
        assert await stopped.process.wait() == 0
    # By saying goodbye, not by its lease, which lasts longer than this waits.
    assert await watcher.next("pusher_internal:member_removed", within=5) == {"user_id": "gone"}


async def test_a_slow_reader_is_cut_off_in_production_too(run, publisher, get_stuck):
    """The process runs on uvloop, whose transports are not asyncio's."""
    workspace = uuid4()
    channel = f"presence-workspace.{workspace}"
    running = await run(BLAZZ_NOTIFIER_WRITE_BUFFER="100000", BLAZZ_HTTP_PORT=str(http := free_port()))
    reader = await running.join(channel, "reader")
    stuck_channel = f"private-workspace.{workspace}"
    await get_stuck(running.port, stuck_channel)
    received = 0

    async def cut() -> bool:
        async with httpx.AsyncClient() as client:
            metrics = (await client.get(f"http://127.0.0.1:{http}/metrics")).text
        return "blazz_notifier_slow_readers_cut_total 1.0" in metrics

    while not await cut():
        assert received < 5000
        for _ in range(50):
            for name in (channel, stuck_channel):
                await publisher.publish(
                    SocketTriggered(workspace_id=workspace, channels=[name], event="big", data=json.dumps("x" * 9_000))
                )
            received += 1
            async with asyncio.timeout(5):
                assert json.loads(await reader.recv())["event"] == "big"
    await reader.close()
