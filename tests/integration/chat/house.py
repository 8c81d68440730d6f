"""Chat itself, started for tests, with a listener at its events."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import orjson
from blazz_chassis.app import Service
from blazz_chassis.publisher import Publisher
from blazz_chassis.seal import new_key
from blazz_chat.main import build
from blazz_chat.settings import Settings
from pydantic import SecretStr

from .world import CONTEXT_KEY, World

NO_LIMITS = {"messages_per_second": None, "pair_seconds": None, "pair_burst": 45, "recipients_per_day": None}


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
