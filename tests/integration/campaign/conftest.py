"""Campaign itself, with a real broker and a real database; the test stands where gateway and chat are."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import orjson
import pytest_asyncio
from blazz_campaign.main import build
from blazz_campaign.settings import Settings
from blazz_campaign.state import RECIPIENT_STATES
from blazz_chassis import context
from blazz_chassis.app import Service
from blazz_chassis.database import Database
from blazz_local.databases import ServiceDatabase
from pydantic import SecretStr

from tests.integration.campaign.chat_side import ChatSide
from tests.support.polling import until
from tests.support.proxy import Proxy

CONTEXT_KEY = "k" * 40
SHORT_LEASE = {"campaign_lease": 2, "publish_timeout": 1}


@dataclass
class World:
    """What a test of campaign needs at hand."""

    vhost: str
    made: ServiceDatabase
    chat: ChatSide
    database: Database
    settings: dict[str, Any]
    workspace_id: UUID = field(default_factory=uuid4)
    channel_id: UUID = field(default_factory=uuid4)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    running: dict[Service, "asyncio.Task[None]"] = field(default_factory=dict)
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    port: int = 0

    async def start(self, **settings: Any) -> Service:
        """Start an instance in this process; calls go to the one started last."""
        service = build(Settings(**(self.settings | settings)))
        self.running[service] = asyncio.create_task(service.serve())
        await asyncio.wait_for(service.started.wait(), 20)
        await asyncio.wait_for(service.consumer.started.wait(), 20)
        assert service.port is not None
        self.port = service.port
        return service

    async def stop(self, service: Service) -> None:
        """Stop it in order."""
        service.stop()
        await asyncio.wait_for(self.running.pop(service), 30)

    async def process(self, **environment: str) -> asyncio.subprocess.Process:
        """Start an instance as a process of its own, which may be killed; returns at once."""
        plain = {
            f"BLAZZ_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.settings.items()
        }
        # What is killed shall not keep its campaigns for long.
        lease = {f"BLAZZ_{name.upper()}": str(value) for name, value in SHORT_LEASE.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "blazz_campaign", env={**os.environ, **plain, **lease, **environment}
        )
        self.processes.append(process)
        return process

    async def api(self, method: str, path: str, *, workspace_id: UUID | None = None, **more: Any) -> httpx.Response:
        """Call campaign on behalf of a workspace."""
        who = context.WorkspaceContext(
            workspace_id=workspace_id or self.workspace_id, actor_kind="user", actor_id=UUID(int=7)
        )
        token = context.sign(who, CONTEXT_KEY, audience="campaign")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as http:
            return await http.request(
                method, f"/internal/campaigns{path}", headers={"Authorization": f"Bearer {token}"}, **more
            )

    async def create(self, recipients: int | list[dict[str, Any]] = 3, **more: Any) -> dict[str, Any]:
        """A campaign to so many, or to these."""
        body: dict[str, Any] = {"name": "Sale", "channel_id": str(self.channel_id)}
        if "csv" not in more:
            body["recipients"] = numbers(recipients) if isinstance(recipients, int) else recipients
        if "template" not in more:
            body["text"] = {"body": "Hello"}
        answer = await self.api("POST", "", json=body | more)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def view(self, campaign_id: str) -> dict[str, Any]:
        """The campaign as the API shows it."""
        answer = await self.api("GET", f"/{campaign_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until_state(self, campaign_id: str, *states: str, within: float = 20.0) -> dict[str, Any]:
        """Wait until the campaign is in one of these states; by the database, for there may be no instance."""
        seen: list[str] = []

        async def reached() -> bool:
            found = await self.rows("select state from campaigns where id = $1", UUID(campaign_id))
            seen[:] = [found[0]["state"]]
            return seen[0] in states

        try:
            await until(reached, within)
        except AssertionError as error:
            raise AssertionError(f"{states} expected, is {seen}: {await self.counted(campaign_id)}") from error
        return await self.view(campaign_id) if self.running else {}

    async def until_counts(self, campaign_id: str, within: float = 20.0, **wanted: int) -> None:
        """Wait until so many recipients are in these states."""
        seen: dict[str, int] = {}

        async def reached() -> bool:
            seen.clear()
            seen.update(await self.counted(campaign_id))
            return all(seen.get(state, 0) == number for state, number in wanted.items())

        try:
            await until(reached, within)
        except AssertionError as error:
            raise AssertionError(f"{wanted} expected, is {seen}") from error

    async def counted(self, campaign_id: str) -> dict[str, int]:
        """Recipients by state, counted one by one, after checking that the campaign's counters say the same."""
        async with self.database.worker() as connection:
            await connection.execute("set transaction isolation level repeatable read")
            found = await connection.fetch(
                "select state, count(*) as n from recipients where campaign_id = $1 group by state", UUID(campaign_id)
            )
            kept = await connection.fetchrow("select * from campaigns where id = $1", UUID(campaign_id))
        assert kept is not None
        counted = {row["state"]: row["n"] for row in found}
        assert {state: kept[f"n_{state}"] for state in RECIPIENT_STATES} == {
            state: counted.get(state, 0) for state in RECIPIENT_STATES
        }
        return counted

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Ask the database as its worker."""
        async with self.database.worker() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def execute(self, sql: str, *arguments: Any) -> None:
        """Change the database as its worker."""
        async with self.database.worker() as connection:
            await connection.execute(sql, *arguments)

    def progress(self, campaign_id: str) -> list[dict[str, Any]]:
        """The `campaign.progress` events heard of a campaign."""
        return [body for name, body in self.heard if name == "campaign.progress" and body["campaign_id"] == campaign_id]


def numbers(count: int) -> list[dict[str, Any]]:
    """So many people."""
    return [{"phone": f"+4915{n:08d}", "variables": {"name": f"Person {n}"}} for n in range(count)]


MakeWorld = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture(loop_scope="session")
async def idle_world(make_vhost: Callable[[], Awaitable[str]], make_database: Any) -> AsyncIterator[World]:
    """Broker, database and chat's side; no instance of campaign yet, and chat does not take requests yet."""
    vhost, made = await make_vhost(), await make_database("campaign")
    chat = ChatSide(vhost)
    await chat.start()
    settings = {
        "env": "local",
        "http_port": 0,
        "amqp_url": SecretStr(vhost),
        "database_api_url": SecretStr(made.api_url),
        "database_worker_url": SecretStr(made.worker_url),
        "context_key": SecretStr(CONTEXT_KEY),
        "chat_url": chat.url,
        "campaign_poll": 0.05,
        "outbox_lease": 1,
        "database_lock_timeout": 1,
        # A machine with too much to do confirms late: then a batch is rightly published again, which is not what most
        # of these tests are about.
        "publish_timeout": 30,
        "campaign_lease": 60,
    }
    database = Database(made.api_url, made.worker_url, service="test")
    world = World(vhost, made, chat, database, settings)
    chat.channel(world.channel_id)
    listening = await aio_pika.connect(vhost)
    channel = await listening.channel()
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind("blazz.events", "#")

    async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        world.heard.append((message.type or "", orjson.loads(message.body)))

    await queue.consume(hear, no_ack=True)
    yield world
    for service in list(world.running):
        await world.stop(service)
    for process in world.processes:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    await listening.close()
    await chat.stop()
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def cut(idle_world: World) -> AsyncIterator[Proxy]:
    """A way to this test's virtual host that can be cut."""
    made = Proxy(idle_world.vhost)
    await made.mend()
    yield made
    await made.cut()


@pytest_asyncio.fixture(loop_scope="session")
async def world(idle_world: World) -> World:
    """One instance of campaign, and chat takes requests."""
    await idle_world.start()
    await idle_world.chat.listen()
    return idle_world


async def ended(process: asyncio.subprocess.Process, within: float = 30.0) -> int:
    """Wait for a process; returns its status (−9: it was killed)."""
    return await asyncio.wait_for(process.wait(), within)
