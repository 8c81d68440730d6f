"""The bridge with real browsers, a real broker and database, and the simulator's WhatsApp Web."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest_asyncio
from aiohttp import web
from blazz_chassis import context
from blazz_chassis.app import Service
from blazz_chassis.seal import new_key
from blazz_simulator.app import build as build_simulator
from blazz_simulator.settings import Settings as SimulatorSettings
from blazz_webjs_bridge.main import build
from blazz_webjs_bridge.settings import Settings
from pydantic import SecretStr

from tests.integration.webjs_bridge.chat_side import ChatSide, opened
from tests.support.polling import until

CONTEXT_KEY = "context-key-of-the-tests-with-32-characters"
SEAL_KEY = new_key()
OPENED = 60.0
"""Seconds within which a browser opens on a very busy machine; it takes two alone."""


class World:
    """One or more instances of the bridge, and all around them."""

    def __init__(self, vhost: str, database: Any, simulator_url: str, chat: ChatSide, folder: Path) -> None:
        self.database, self.simulator_url, self.chat = database, simulator_url, chat
        self.workspace_id = uuid4()
        self.simulator = httpx.AsyncClient(base_url=simulator_url, timeout=30)
        self.settings: dict[str, Any] = {
            "env": "local",
            "http_port": 0,
            "amqp_url": SecretStr(vhost),
            "database_api_url": SecretStr(database.api_url),
            "database_worker_url": SecretStr(database.worker_url),
            "context_key": SecretStr(CONTEXT_KEY),
            "seal_key": SecretStr(SEAL_KEY),
            "retry_scale": 0.01,
            "chat_url": chat.url,
            "webjs_bridge_web_url": f"{simulator_url}/web/",
            "webjs_bridge_profiles": folder / "profiles",
            "webjs_bridge_lease": 4,
            "webjs_bridge_look": 0.1,
            "webjs_bridge_frozen": 8,
            "webjs_bridge_doubt_every": 0.5,
            "webjs_bridge_send_timeout": 8,
            "public_hosts_only": False,
        }
        self.running: dict[Service, asyncio.Task[None]] = {}
        self.processes: list[asyncio.subprocess.Process] = []
        self.http: httpx.AsyncClient | None = None

    async def start(self, **settings: Any) -> Service:
        """Start an instance in this process."""
        service = build(Settings(**(self.settings | {"instance": f"bridge-{uuid4().hex[:6]}"} | settings)))
        self.running[service] = asyncio.create_task(service.serve())
        await asyncio.wait_for(service.started.wait(), 20)
        await self._aim(service.port)
        return service

    async def _aim(self, port: int | None) -> None:
        """Calls go there from now on."""
        if self.http is not None:
            await self.http.aclose()
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)

    async def stop(self, service: Service) -> None:
        """Stop an instance in order."""
        service.stop()
        await asyncio.wait_for(self.running.pop(service), 60)

    async def process(self, **environment: str) -> asyncio.subprocess.Process:
        """Start an instance as a process of its own, which may be killed; returns at once."""
        plain = {
            f"BLAZZ_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.settings.items()
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "blazz_webjs_bridge", env={**os.environ, **plain, **environment}
        )
        self.processes.append(process)
        return process

    async def api(self, method: str, path: str, *, workspace_id: UUID | None = None, **more: Any) -> httpx.Response:
        """Call the bridge on behalf of a workspace."""
        who = context.WorkspaceContext(workspace_id=workspace_id or self.workspace_id, actor_kind="user")
        headers = {"Authorization": f"Bearer {context.sign(who, CONTEXT_KEY, audience='webjs-bridge')}"}
        assert self.http is not None
        return await self.http.request(method, path, headers=headers | more.pop("headers", {}), **more)

    async def session(self, session_id: UUID) -> dict[str, Any]:
        """A session as the API shows it."""
        answer = await self.api("GET", f"/internal/sessions/{session_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until_state(self, session_id: UUID, *wanted: str, within: float = OPENED) -> dict[str, Any]:
        """Wait until the session is in one of these states."""
        seen: dict[str, Any] = {}

        async def reached() -> bool:
            seen.update(await self.session(session_id))
            return seen["state"] in wanted

        try:
            await until(reached, within)
        except AssertionError as error:
            raise AssertionError(f"{wanted} expected, is {seen}") from error
        return seen

    async def create(self, **options: Any) -> UUID:
        """A new session; its browser opens."""
        answer = await self.api("POST", "/internal/sessions", json={"name": "Sales", "options": options})
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def scan(self, session_id: UUID, phone: str) -> None:
        """Let a phone scan the code that is shown now."""
        await self.until_state(session_id, "qr")
        code = (await self.api("GET", f"/internal/sessions/{session_id}/qr")).json()["code"]
        answer = await self.simulator.post("/_sim/web/scan", json={"code": code, "phone": phone})
        assert answer.status_code < 300, answer.text

    async def linked(self, phone: str, **options: Any) -> UUID:
        """A session that is ready, linked to this phone."""
        session_id = await self.create(**options)
        await self.scan(session_id, phone)
        await self.until_state(session_id, "ready")
        return session_id

    async def ledger(self, *, via: str = "web") -> list[dict[str, Any]]:
        """What WhatsApp accepted, in order."""
        entries: list[dict[str, Any]] = []
        after = 0
        while True:
            page = (await self.simulator.get("/_sim/ledger", params={"after": after, "limit": 10000})).json()
            if not page["entries"]:
                return [entry for entry in entries if entry["via"] == via]
            entries += page["entries"]
            after = page["next"]

    async def customer(self, number: str, path: str = "messages", **body: Any) -> dict[str, Any]:
        """A customer does something on their phone."""
        answer = await self.simulator.post(f"/_sim/phones/{number}/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    async def fault(self, **fault: Any) -> None:
        """Let WhatsApp Web fail."""
        answer = await self.simulator.put("/_sim/web/faults", json=fault)
        assert answer.status_code < 300, answer.text

    async def page_has_all(self, phone: str) -> bool:
        """Whether the pages linked to this phone have all that WhatsApp told them, in their storage."""
        devices = (await self.simulator.get("/_sim/web/devices")).json()["devices"]
        linked = [each for each in devices if each["phone"] == phone and each["state"] == "online"]
        return bool(linked) and not any(each["events_waiting"] for each in linked)

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Ask the bridge's database as its worker."""
        service = next(iter(self.running))
        async with service.database.worker() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def close(self) -> None:
        """End everything."""
        for process in self.processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        for service in list(self.running):
            await self.stop(service)
        if self.http is not None:
            await self.http.aclose()
        await self.simulator.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def simulator_url(tmp_path_factory: Any) -> AsyncIterator[str]:
    """A WhatsApp for one test module."""
    data = tmp_path_factory.mktemp("simulator")
    runner = web.AppRunner(build_simulator(SimulatorSettings(port=0, data=data)), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chat(vhost: str) -> AsyncIterator[ChatSide]:
    """Chat, as the bridge sees it."""
    async for side in opened(vhost):
        yield side


@pytest_asyncio.fixture(loop_scope="session")
async def world(
    vhost: str, make_database: Any, simulator_url: str, chat: ChatSide, chromium_path: Path, wa_js: Path, tmp_path: Path
) -> AsyncIterator[World]:
    """One running instance, with a database of its own."""
    made = World(vhost, await make_database("webjs-bridge"), simulator_url, chat, tmp_path)
    await made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def idle_world(
    vhost: str, make_database: Any, simulator_url: str, chat: ChatSide, chromium_path: Path, wa_js: Path, tmp_path: Path
) -> AsyncIterator[World]:
    """No instance yet."""
    made = World(vhost, await make_database("webjs-bridge"), simulator_url, chat, tmp_path)
    yield made
    await made.close()
