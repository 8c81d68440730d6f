"""Chat itself, with a real broker, a real database and the simulator; the test stands where the gateway is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import orjson
import pytest_asyncio
from aiohttp import web
from blazz_chassis import context
from blazz_chassis.app import Service
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_chassis.seal import new_key
from blazz_chat.main import build
from blazz_chat.settings import Settings
from blazz_contracts.content import Text
from blazz_contracts.events import MessageRequested, ProviderStatus, WebhooksAlive
from blazz_contracts.events.provider_status import StatusItem
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient
from blazz_simulator.app import build as build_simulator
from blazz_simulator.settings import Settings as SimulatorSettings
from pydantic import SecretStr

from tests.support.polling import until

CONTEXT_KEY = "k" * 40
NO_LIMITS = {"messages_per_second": None, "pair_seconds": None, "pair_burst": 45, "recipients_per_day": None}


@dataclass
class World:
    """What a test of chat needs at hand: a workspace with one channel."""

    house: "House"
    chat: Service
    http: httpx.AsyncClient
    simulator: httpx.AsyncClient
    publisher: Publisher
    workspace_id: UUID
    channel_id: UUID
    phone_number_id: str
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def headers(self, workspace_id: UUID | None = None) -> dict[str, str]:
        """A signed context, as the gateway makes it."""
        who = context.WorkspaceContext(workspace_id=workspace_id or self.workspace_id, actor_kind="user")
        return {"Authorization": f"Bearer {context.sign(who, CONTEXT_KEY, audience='chat')}"}

    async def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call chat on behalf of the workspace."""
        return await self.http.request(method, f"/internal{path}", headers=self.headers(), **more)

    def request(self, phone: str, text: str = "hello", **more: Any) -> MessageRequested:
        """A request as the gateway makes it."""
        fields: dict[str, Any] = {
            "workspace_id": self.workspace_id,
            "message_id": uuid7(),
            "channel_id": self.channel_id,
            "to": Recipient(phone=phone),
            "content": Text(body=text),
            "lane": Lane.URGENT,
            "origin": Origin(kind=OriginKind.PERSON, id=uuid4()),
            "requested_at": datetime.now(UTC),
        }
        return MessageRequested(**(fields | more))

    async def send(self, phone: str, text: str = "hello", **more: Any) -> UUID:
        """Ask for a message; returns its id."""
        request = self.request(phone, text, **more)
        await self.publisher.publish(request)
        return request.message_id

    async def status(self, *items: StatusItem) -> None:
        """Tell statuses, as the gateway does."""
        await self.publisher.publish(
            ProviderStatus(workspace_id=self.workspace_id, channel_id=self.channel_id, items=list(items))
        )

    async def alive(self, at: datetime | None = None, instance: str = "gateway-test") -> None:
        """A gateway's beat."""
        await self.publisher.publish(
            WebhooksAlive(workspace_id=UUID(int=0), instance=instance, at=at or datetime.now(UTC), interval=5)
        )

    async def while_webhooks_flow(
        self, condition: Callable[[], Any], *instances: str, within: float = 15.0, what: str = "it"
    ) -> Any:
        """Let gateways beat until something comes about; return that."""

        async def beaten() -> Any:
            for instance in instances or ("gateway-test",):
                await self.alive(instance=instance)
            found = condition()
            return await found if asyncio.iscoroutine(found) else found

        return await until(beaten, within, what=what, every=0.1)

    async def proven(self) -> None:
        """A status has come from the number: its webhook is set up."""
        await self.status(item(uuid4(), 1, "sent", "wamid.of-somebody-else"))
        await until(
            lambda: self.rows("select 1 from channels where id = $1 and status_seen_at is not null", self.channel_id)
        )

    async def flowed(self, message_id: UUID, seconds: float, instance: str = "gateway-test") -> bool:
        """Whether webhooks have flowed at a gateway so long since the lease of a message's attempt ended."""
        return bool(
            await self.rows(
                """
                select 1 from webhook_flows f, messages m where m.id = $1 and f.instance = $3
                and f.until - greatest(f.since, m.lease_until) > make_interval(secs => $2)
                """,
                message_id,
                seconds,
                instance,
            )
        )

    async def is_in(self, message_id: UUID, status: str) -> bool:
        """Whether the message is in this state."""
        return (await self.message(message_id)).get("status") == status

    async def message(self, message_id: UUID) -> dict[str, Any]:
        """The message as the API shows it; empty while chat does not have it."""
        answer = await self.api("GET", f"/messages/{message_id}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    async def until_status(self, message_id: UUID, *wanted: str, within: float = 15.0) -> dict[str, Any]:
        """Wait until the message is in one of these states."""
        seen: dict[str, Any] = {}

        async def reached() -> bool:
            seen.update(await self.message(message_id))
            return seen.get("status") in wanted

        try:
            await until(reached, within)
        except AssertionError as error:
            raise AssertionError(f"{wanted} expected, is {seen}") from error
        return seen

    async def ledger(self) -> list[dict[str, Any]]:
        """What the simulator accepted from this number, in order."""
        entries: list[dict[str, Any]] = []
        after = 0
        while True:
            page = (await self.simulator.get("/_sim/ledger", params={"after": after, "limit": 10000})).json()
            if not page["entries"]:
                return [e for e in entries if e["phone_number_id"] == self.phone_number_id]
            entries += page["entries"]
            after = page["next"]

    async def sent_of(self, message_id: UUID) -> list[dict[str, Any]]:
        """Ledger entries of one message."""
        return [e for e in await self.ledger() if (e["biz_opaque_callback_data"] or "").startswith(str(message_id))]

    def told(self, name: str, message_id: UUID | None = None) -> list[dict[str, Any]]:
        """Items of the events heard (or the events, where they have none)."""
        found = [item for event, body in self.heard if event == name for item in body.get("items", [body])]
        return [item for item in found if message_id is None or item.get("message_id") == str(message_id)]

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Ask chat's database as its worker."""
        async with self.chat.database.worker() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def faults(self, **fault: Any) -> None:
        """Let the simulator fail."""
        answer = await self.simulator.put("/_sim/faults", json=fault)
        assert answer.status_code < 300, answer.text


Build = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator_url(tmp_path_factory: Any) -> AsyncIterator[str]:
    """One simulator for all tests of chat: each has a number of its own."""
    runner = web.AppRunner(
        build_simulator(SimulatorSettings(port=0, data=tmp_path_factory.mktemp("simulator"))), access_log=None
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class House:
    """Chat with its own virtual host and database; any number of instances, workspaces and channels live in it."""

    def __init__(self, vhost: str, database: Any, simulator_url: str, folder: Path, **settings: Any) -> None:
        self.vhost, self.database, self._simulator_url = vhost, database, simulator_url
        defaults: dict[str, Any] = {
            "env": "local",
            "http_port": 0,
            "amqp_url": SecretStr(vhost),
            "database_api_url": SecretStr(database.api_url),
            "database_worker_url": SecretStr(database.worker_url),
            "context_key": SecretStr(CONTEXT_KEY),
            "seal_key": SecretStr(new_key()),
            "retry_scale": 0.01,
            "chat_graph_url": simulator_url,
            "chat_media_path": folder / "media",
            "chat_retry_waits": (0.2, 0.3, 0.4),
            "chat_hold_back": 0.5,
            "chat_provider_timeout": 2,
            "chat_poll": 0.1,
            "chat_settle": 1.0,
            "public_hosts_only": False,
        }
        self._settings = defaults | settings
        self._heard: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._endings: list[Callable[[], Awaitable[Any]]] = []
        self._serving: list[asyncio.Task[None]] = []

    @property
    def given(self) -> dict[str, Any]:
        """What is set, by name."""
        return self._settings

    @property
    def settings(self) -> Settings:
        """What every instance is started with."""
        return Settings(**self._settings)

    async def open(self) -> None:
        """Start one instance, and listen."""
        self.chat = await self.instance()
        self.publisher = Publisher(self.vhost, service="gateway", queues=[])
        await self.publisher.start()
        self._endings.append(self.publisher.stop)
        await asyncio.wait_for(self.publisher.declared.wait(), 20)
        self.simulator = httpx.AsyncClient(base_url=self._simulator_url)
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.chat.port}")
        self._endings += [self.simulator.aclose, self.http.aclose]
        listening = await aio_pika.connect(self.vhost)
        self._endings.append(listening.close)
        channel = await listening.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("blazz.events", "#")

        async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            body = orjson.loads(message.body)
            self._heard.setdefault(body["workspace_id"], []).append((message.type or "", body))

        await queue.consume(hear, no_ack=True)

    async def instance(self) -> Service:
        """One more instance of chat."""
        chat = build(self.settings)
        serving = asyncio.create_task(chat.serve())
        self._serving.append(serving)

        async def end() -> None:
            chat.stop()
            await asyncio.wait_for(serving, 30)

        self._endings.append(end)
        await asyncio.wait_for(chat.started.wait(), 20)
        await asyncio.wait_for(chat.consumer.started.wait(), 20)
        return chat

    async def world(self, limits: dict[str, Any] | None = None) -> World:
        """A fresh workspace with a number of its own."""
        number = f"1{uuid4().int % 10**14:014d}"
        # A fresh account is subscribed to nothing: statuses come from the test.
        answer = await self.simulator.put(
            f"/_sim/accounts/{number}",
            json={
                "display_phone_number": number,
                "waba_id": f"2{number[1:]}",
                "access_token": "token",
                "app_secret": "s",
            },
        )
        assert answer.status_code < 300, answer.text
        world = World(self, self.chat, self.http, self.simulator, self.publisher, uuid4(), UUID(int=0), number)
        world.heard = self._heard.setdefault(str(world.workspace_id), [])
        answer = await world.api(
            "POST",
            "/channels",
            json={
                "name": "Test",
                "phone_number_id": number,
                "waba_id": f"2{number[1:]}",
                "access_token": "token",
                "app_secret": "s",
                "verify_token": "v",
                "limits": NO_LIMITS | (limits or {}),
            },
        )
        assert answer.status_code == 201, answer.text
        world.channel_id = UUID(answer.json()["id"])
        # Beats that an earlier test sent are no evidence in this one.
        await world.rows("delete from webhook_flows returning 1")
        return world

    async def stopped(self) -> None:
        """Wait for instances that were told to stop."""
        await asyncio.wait_for(asyncio.gather(*self._serving), 30)

    async def close(self) -> None:
        """Stop all of it."""
        for end in reversed(self._endings):
            await end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(
    make_vhost: Callable[[], Awaitable[str]], make_database: Any, simulator_url: str, tmp_path_factory: Any
) -> AsyncIterator[House]:
    """Chat as most tests want it, started once."""
    made = House(await make_vhost(), await make_database("chat"), simulator_url, tmp_path_factory.mktemp("chat"))
    await made.open()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_world(
    make_vhost: Callable[[], Awaitable[str]], make_database: Any, simulator_url: str, tmp_path: Path
) -> AsyncIterator[Build]:
    """Starts a chat of its own, with settings of the test's choice."""
    houses: list[House] = []

    async def make(limits: dict[str, Any] | None = None, **settings: Any) -> World:
        made = House(await make_vhost(), await make_database("chat"), simulator_url, tmp_path, **settings)
        houses.append(made)
        await made.open()
        return await made.world(limits)

    yield make
    for made in houses:
        await made.simulator.delete("/_sim/faults")
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_channel(house: House) -> AsyncIterator[Build]:
    """Makes a workspace with limits of the test's choice."""
    yield house.world
    await house.simulator.delete("/_sim/faults")


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_channel: Build) -> World:
    """A workspace of its own with a channel without limits."""
    return await make_channel()


@pytest_asyncio.fixture(loop_scope="session")
async def make_bridge() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Makes a WhatsApp Web session beside a world's own number, with its channel; `ready` says whether it sends."""
    from .bridge_side import BridgeSide, new_session

    made: list[BridgeSide] = []

    async def make(world: World, *, ready: bool = True, listening: bool = True, **channel: Any) -> BridgeSide:
        bridge = BridgeSide(world, world.house.vhost, new_session())
        made.append(bridge)
        await bridge.start()
        answer = await bridge.connect(**channel)
        assert answer.status_code == 201, answer.text
        if listening:
            await bridge.listen()
        if ready:
            await bridge.state("ready", phone="4915112345678")
        return bridge

    yield make
    for bridge in made:
        await bridge.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(world: World, make_bridge: Callable[..., Awaitable[Any]]) -> Any:
    """A session that is ready."""
    return await make_bridge(world)


def item(message_id: UUID, attempt: int, status: str, wamid: str, **more: Any) -> StatusItem:
    """One status of one attempt."""
    fields: dict[str, Any] = {
        "provider_message_id": wamid,
        "status": status,
        "at": datetime.now(UTC),
        "callback_data": f"{message_id}:{attempt}",
    }
    return StatusItem(**(fields | more))
