"""The samples of docs/websocket.md run as they stand there."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from blazz_contracts.events import MessageReceived
from blazz_notifier.signature import sign_subscription

GUIDE = Path(__file__).parents[3] / "docs" / "websocket.md"
SAMPLES = dict(re.findall(r"```\w+ name=(\S+)\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL))


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[str]:
    """What the samples ask of the gateway: a signature, and the change feed."""

    async def authorize(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer the-token":
            return web.Response(status=401)
        asked: Any = await request.json() if request.content_type == "application/json" else await request.post()
        data = None
        if asked["channel_name"].startswith("presence-"):
            data = json.dumps({"user_id": "1", "user_info": {"name": "Ana"}})
        auth = sign_subscription("app-key", "app-secret", asked["socket_id"], asked["channel_name"], data)
        return web.json_response({"auth": auth} | ({"channel_data": data} if data else {}))

    async def changes(request: web.Request) -> web.Response:
        after = int(request.query["after"])
        found = [{"cursor": after + 1, "kind": "message", "id": "first"}] if after < 2 else []
        return web.json_response({"changes": found, "next": after + len(found), "more": bool(found)})

    application = web.Application()
    application.router.add_post("/broadcasting/auth", authorize)
    application.router.add_get("/api/v1/changes", changes)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Sample:
    """A sample that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self.said = process, ""

    async def says(self, text: str) -> None:
        """Wait until it has printed this."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while text not in self.said:
                more = await self.process.stdout.read(4096)
                assert more, f"it ended without saying {text!r}: {self.said}"
                self.said += more.decode()


Run = Callable[..., Awaitable[Sample]]


@pytest_asyncio.fixture(loop_scope="session")
async def run(packages: Path, node_binary: Path, gateway: str) -> AsyncIterator[Run]:
    """`await run(name, instance, workspace)` starts a sample of the guide."""
    made: list[Sample] = []
    files: list[Path] = []

    async def start(name: str, instance: Any, workspace: Any) -> Sample:
        file = packages / f"guide-{uuid4().hex}{Path(name).suffix}"  # beside node_modules, where imports are found
        file.write_text(SAMPLES[name], "utf-8")
        files.append(file)
        environment = {
            **os.environ,
            "BLAZZ_GATEWAY": gateway,
            "BLAZZ_TOKEN": "the-token",
            "BLAZZ_WORKSPACE": str(workspace),
            "BLAZZ_WS_HOST": "127.0.0.1",
            "BLAZZ_WS_PORT": str(instance.ws_port),
            "BLAZZ_WS_KEY": "app-key",
            "BLAZZ_NOTIFIER_HOST": "127.0.0.1",
            "BLAZZ_NOTIFIER_PORT": str(instance.service.port),
            "BLAZZ_APP_ID": "app-id",
            "BLAZZ_APP_SECRET": "app-secret",
        }
        program = sys.executable if file.suffix == ".py" else node_binary
        process = await asyncio.create_subprocess_exec(
            program, file, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        made.append(Sample(process))
        return made[-1]

    yield start
    for sample in made:
        if sample.process.returncode is None:
            sample.process.kill()
        await sample.process.communicate()
    for file in files:
        file.unlink()


def received(workspace: Any, text: str) -> MessageReceived:
    ids = {name: str(uuid4()) for name in ("message_id", "conversation_id", "contact_id", "channel_id")}
    return MessageReceived.model_validate(
        {
            **ids,
            "workspace_id": workspace,
            "provider_message_id": "wamid.1",
            "direction": "inbound",
            "type": "text",
            "content": {"body": text},
            "text": text,
            "sent_at": "2026-01-01T00:00:00Z",
            "created_at": "2026-01-01T00:00:00Z",
        }
    )


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [
        ("inbox.mjs", "listening as", "inbound"),
        ("echo.mjs", "here: Ana", "inbound hi"),
        ("inbox.py", "listening", "chat.new"),
    ],
)
async def test_a_sample_listens_and_shows_what_comes(notifier, publisher, run, name, first, then):
    instance, workspace = await notifier(), uuid4()
    sample = await run(name, instance, workspace)
    await sample.says(first)
    await publisher.publish(received(workspace, "hi"))
    await sample.says(then)
    await sample.says("hi")


async def test_the_sample_catches_up_from_the_feed(notifier, run):
    sample = await run("inbox.mjs", await notifier(), uuid4())
    await sample.says("change 2 message first")


async def test_the_sample_triggers_an_event(notifier, run):
    instance = await notifier()
    client = await instance.connect()
    await client.subscribe("news")
    sample = await run("trigger.mjs", instance, uuid4())
    await sample.says("triggered 200")
    assert await client.next("maintenance") == {"minutes": 5}
    await sample.says("subscription_count: 1")
    assert await sample.process.wait() == 0


def test_every_sample_of_the_guide_is_run_here():
    assert set(SAMPLES) == {"inbox.mjs", "echo.mjs", "inbox.py", "trigger.mjs"}
