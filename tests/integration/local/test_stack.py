"""The stack without services: what it writes down, and what is left when its supervisor is killed."""

import asyncio
import json
import os
import signal
import stat
import sys
from pathlib import Path

import aiohttp
import pytest
from blazz_local import Folder, Given, Servers, Stack
from blazz_local.background import down
from blazz_local.broker import Management
from blazz_local.process import strays
from blazz_local.status import is_alive
from blazz_local.supervisor import until

ONLY_SIMULATOR = """
import asyncio, json, sys
from pathlib import Path
from blazz_local import Folder, Given
from blazz_local.lock import held
from blazz_local.stack import Stack

async def main():
    stack = Stack(Folder(Path(sys.argv[1])), services=(), demo=False, given=Given(*json.loads(sys.argv[2])))
    with held(stack.folder):
        await stack.start()
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def given(servers: Servers) -> Given:
    return Given(servers.rabbitmq.amqp_url, servers.rabbitmq.management_url, servers.postgres.url)


async def test_stack_json_is_not_there_before_all_is_ready_nor_after_the_end(given: Given, tmp_path: Path) -> None:
    folder = Folder(tmp_path / ".blazz")
    stack = Stack(folder, services=(), demo=False, given=given, say=lambda _: None)
    folder.create()
    # As when a program dies while others are still starting, and in the middle of the stop.
    stack.supervisor.changed()
    assert not folder.stack_file.exists()
    async with stack:
        folder.stack_file.unlink()
        stack.supervisor.changed()
        assert folder.stack_file.exists()
    stack.supervisor.changed()
    assert not folder.stack_file.exists()


async def test_stack_json_is_there_while_it_is_ready_and_names_the_pid_that_serves(
    given: Given, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / ".blazz")
    async with Stack(folder, services=(), demo=False, given=given, say=lambda _: None) as stack:
        first = json.loads(folder.stack_file.read_text())
        assert stat.S_IMODE(folder.stack_file.stat().st_mode) == 0o600
        async with aiohttp.ClientSession() as session, session.get(f"{first['simulator_url']}/_sim/health") as answer:
            assert answer.status == 200
        killed = stack.kill("simulator")
        assert first["processes"]["simulator"]["pid"] == killed
        await stack.wait_ready("simulator", timeout=10)

        async def renewed() -> bool:
            pid = json.loads(folder.stack_file.read_text())["processes"]["simulator"]["pid"]
            return pid != killed and is_alive(pid)

        await until(renewed, timeout=5)
    assert not folder.stack_file.exists()
    assert strays(folder.path) == []


async def test_the_broker_has_a_user_a_service_and_the_whole_topology(given: Given, tmp_path: Path) -> None:
    folder = Folder(tmp_path / ".blazz")
    async with (
        Stack(folder, services=(), demo=False, given=given, say=lambda _: None) as stack,
        Management(stack.description["amqp_management_url"]) as management,
    ):
        users = {user["name"] for user in await management.call("GET", "users")}
        queues = {queue["name"] for queue in await management.call("GET", "queues/%2F")}
    assert {"gateway", "chat", "campaign", "notifier", "webjs-bridge"} <= users
    assert {"chat.send.urgent", "chat.send.urgent.dead", "blazz.unrouted"} <= queues


async def test_a_killed_supervisor_takes_everything_with_it_and_down_tidies_up(given: Given, tmp_path: Path) -> None:
    folder = Folder(tmp_path / ".blazz")
    servers = json.dumps([given.amqp_url, given.amqp_management_url, given.postgres_url])
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ONLY_SIMULATOR, str(folder.path), servers), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    async for line in supervisor.stdout:
        if line == b"ready\n":
            break
    assert len(strays(folder.path)) == 1
    os.kill(supervisor.pid, signal.SIGKILL)
    await supervisor.wait()

    async def empty() -> bool:
        return strays(folder.path) == []

    await until(empty, timeout=5)
    assert folder.stack_file.exists()
    down(folder)
    assert not folder.stack_file.exists()
