"""The gateway itself, with a real broker and a real database; the test stands where chat and WhatsApp are."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import orjson
import pytest_asyncio
from blazz_chassis.app import Service
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_chassis.seal import Sealer, new_key
from blazz_contracts import Event
from blazz_contracts.events import ChannelUpdated
from blazz_contracts.topology import QUEUES, of_service
from blazz_gateway.administration import NewToken, create_token, create_workspace
from blazz_gateway.main import build
from blazz_gateway.settings import GatewaySettings
from pydantic import SecretStr

from tests.support.polling import until

CONTEXT_KEY = "k" * 40
PUSHER_SECRET = "pusher-secret"
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Heard:
    """One message that reached a queue."""

    queue: str
    type: str
    body: dict[str, Any]
    properties: Any


@dataclass(frozen=True)
class Tenant:
    """A workspace with its owner and an API token without limit."""

    workspace_id: UUID
    email: str
    user_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The API token's."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Number:
    """A channel that the gateway knows."""

    id: UUID
    workspace_id: UUID
    phone_number_id: str
    identifier: str
    app_secret: str
    verify_token: str


@dataclass
class World:
    """What a test of the gateway needs at hand."""

    gateway: Service
    http: httpx.AsyncClient
    publisher: Publisher
    vhost: str
    sealer: Sealer
    database: Any
    settings: GatewaySettings
    start_again: Callable[..., Awaitable["World"]]
    heard: list[Heard] = field(default_factory=list)

    async def tenant(self, name: str = "Acme", *, rate: int | None = None) -> Tenant:
        """A new workspace."""
        email = f"{uuid4().hex[:12]}@example.com"
        made = await create_workspace(self.gateway, name=name, email=email, password_text=PASSWORD)
        workspace_id = UUID(made["workspace_id"])
        token = await create_token(self.gateway, workspace_id, NewToken("test", rate))
        return Tenant(workspace_id, email, UUID(made["user_id"]), token["token"])

    async def login(self, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        """Log in."""
        return await self.http.post("/api/v1/auth/login", json={"email": email, "password": password, **more})

    async def bearer(self, email: str) -> dict[str, str]:
        """The headers of a fresh login."""
        answer = await self.login(email)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def member(self, tenant: Tenant, role: str) -> tuple[UUID, dict[str, str]]:
        """Somebody with this role in the tenant's workspace."""
        email = f"{role}-{uuid4().hex[:8]}@example.com"
        owner = await self.bearer(tenant.email)
        answer = await self.http.post(
            "/api/v1/members", json={"email": email, "password": PASSWORD, "role": role}, headers=owner
        )
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"]), await self.bearer(email)

    async def number(self, workspace_id: UUID, **more: Any) -> Number:
        """A channel of this workspace, told of by the broker as chat does."""
        made = Number(
            id=uuid7(),
            workspace_id=workspace_id,
            phone_number_id=str(more.pop("phone_number_id", f"1{uuid4().int % 10**14:014d}")),
            identifier=uuid4().hex,
            app_secret=uuid4().hex,
            verify_token=uuid4().hex,
        )
        await self.tell(self.channel_updated(made, **more))
        await until(lambda: self.knows(made.id))
        return made

    def channel_updated(self, number: Number, **more: Any) -> ChannelUpdated:
        """What chat tells of it."""
        secrets = orjson.dumps({"app_secret": number.app_secret, "verify_token": number.verify_token})
        fields: dict[str, Any] = {
            "workspace_id": number.workspace_id,
            "channel_id": number.id,
            "revision": 1,
            "provider": "meta",
            "display_name": "Test",
            "phone_number_id": number.phone_number_id,
            "waba_id": "102290129340398",
            "webhook_identifier": number.identifier,
            "sealed_webhook_secrets": self.sealer.seal(secrets),
        }
        return ChannelUpdated(**(fields | more))

    async def tell(self, event: Event) -> None:
        """Publish as another service does."""
        await self.publisher.publish(event)

    async def knows(self, channel_id: UUID) -> bool:
        """Whether the gateway has heard of this channel."""
        return bool(await self.rows("select 1 from channels where id = $1", channel_id))

    async def webhook(self, number: Number, body: Any, *, secret: str | None = None, **more: Any) -> httpx.Response:
        """Deliver a webhook, signed as Meta does."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(
            f"/webhooks/whatsapp/{number.identifier}",
            content=raw,
            headers={"X-Hub-Signature-256": signed(raw, secret or number.app_secret), **more},
        )

    async def send(self, tenant: Tenant, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Ask for a message."""
        asked = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}} | (body or {})
        return await self.http.post("/api/v1/messages", json=asked, headers={**tenant.headers, **headers})

    def told(self, name: str, **fields: Any) -> list[dict[str, Any]]:
        """Events of this name that reached a queue, with these fields."""
        wanted = {key: str(value) if isinstance(value, UUID) else value for key, value in fields.items()}
        return [
            each.body
            for each in self.heard
            if each.type == name and all(each.body.get(key) == value for key, value in wanted.items())
        ]

    async def until_told(self, name: str, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        """Wait until so many came."""
        await until(lambda: len(self.told(name, **fields)) >= count)
        return self.told(name, **fields)

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Ask the gateway's database as its worker."""
        async with self.gateway.database.worker() as connection:
            return list(await connection.fetch(sql, *arguments))


def signed(body: bytes, secret: str) -> str:
    """Meta's signature."""
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


Build = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def make_world(make_vhost: Callable[[], Awaitable[str]], make_database: Any) -> AsyncIterator[Build]:
    """Starts gateways with settings of the test's choice."""
    endings: list[Callable[[], Awaitable[Any]]] = []

    async def start(vhost: str, database: Any, seal_key: str, heard: list[Heard], settings: dict[str, Any]) -> World:
        defaults: dict[str, Any] = {
            "env": "local",
            "http_port": 0,
            "amqp_url": SecretStr(vhost),
            "database_api_url": SecretStr(database.api_url),
            "database_worker_url": SecretStr(database.worker_url),
            "context_key": SecretStr(CONTEXT_KEY),
            "seal_key": SecretStr(seal_key),
            "pusher_secret": SecretStr(PUSHER_SECRET),
            "retry_scale": 0.01,
            # Nobody listens there: chat is away unless a test starts one.
            "chat_url": "http://127.0.0.1:9",
            "campaign_url": "http://127.0.0.1:9",
            "gateway_channel_cache_seconds": 0,
            "gateway_alive_seconds": 0.2,
            "gateway_housekeeping_seconds": 0.2,
        }
        made = GatewaySettings(**(defaults | settings))
        gateway = build(made)
        serving = asyncio.create_task(gateway.serve())
        await asyncio.wait_for(gateway.started.wait(), 20)
        await asyncio.wait_for(gateway.consumer.started.wait(), 20)
        others = [queue for queue in QUEUES if queue not in of_service("gateway")]
        publisher = Publisher(vhost, service="chat", queues=others, retry_scale=made.retry_scale)
        await publisher.start()
        await asyncio.wait_for(publisher.declared.wait(), 20)
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}", timeout=30)

        async def again(**more: Any) -> World:
            return await start(vhost, database, seal_key, heard, settings | more)

        async def end() -> None:
            gateway.stop()
            await asyncio.wait_for(serving, 30)
            await publisher.stop()
            await http.aclose()

        endings.append(end)
        return World(gateway, http, publisher, vhost, Sealer(seal_key), database, made, again, heard)

    async def make(*, hear_chat: bool = True, **settings: Any) -> World:
        vhost, database = await make_vhost(), await make_database("gateway")
        heard: list[Heard] = []
        world = await start(vhost, database, new_key(), heard, settings)
        listening = await aio_pika.connect(vhost)
        channel = await listening.channel()

        async def listen(queue: aio_pika.abc.AbstractQueue, name: str) -> None:
            async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                heard.append(Heard(name, message.type or "", orjson.loads(message.body), message))

            await queue.consume(hear, no_ack=True)

        # Chat's own queues, unless chat is there: what arrives there, chat would get.
        for queue in of_service("chat") if hear_chat else ():
            await listen(await channel.get_queue(queue.name), queue.name)
        events = await channel.declare_queue(exclusive=True)
        await events.bind("blazz.events", "#")
        await listen(events, "events")
        endings.append(listening.close)
        return world

    yield make
    for end in reversed(endings):
        await end()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(make_world: Build) -> World:
    """A gateway that the tests of a module share; each makes a workspace of its own."""
    return await make_world()
