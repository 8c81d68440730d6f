"""Chat as the bridge sees it: takes channels and files over HTTP, asks for sends, hears what the bridge tells.

The real broker carries all of it; the whole stack together is the end-to-end tier's.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import orjson
from aiohttp import web
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import Text
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person

from tests.support.polling import until


class ChatSide:
    """What chat knows and hears."""

    def __init__(self, vhost: str) -> None:
        self._vhost = vhost
        self.channels: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.refused: dict[str, int] = {}
        """Names of channels that are not made, and with which answer."""
        self.makes = asyncio.Event()
        """Until it is set, channels are made and nobody is told."""
        self.makes.set()
        self.files: dict[str, tuple[bytes, str]] = {}
        self.messages: list[dict[str, Any]] = []
        self.statuses: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.states: list[dict[str, Any]] = []
        self.publisher = Publisher(vhost, service="chat", queues=[])
        self.url = ""
        self.away = False
        self.asked_to_keep = 0
        self.may_keep = asyncio.Event()
        self.may_keep.set()

    async def open(self) -> None:
        """Serve and listen."""
        app = web.Application(client_max_size=200_000_000)
        app.router.add_post("/internal/channels", self._create)
        app.router.add_delete("/internal/channels/{id}", self._delete)
        app.router.add_post("/internal/media", self._keep)
        app.router.add_get("/internal/media/{id}/content", self._content)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        await self.publisher.start()
        await asyncio.wait_for(self.publisher.declared.wait(), 20)
        self._connection = await aio_pika.connect(self._vhost)
        channel = await self._connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for name in ("provider.message", "provider.status", "provider.session"):
            await queue.bind("blazz.inbound", name)
        await queue.consume(self._hear, no_ack=True)

    async def close(self) -> None:
        """End it."""
        await self._connection.close()
        await self.publisher.stop()
        await self._runner.cleanup()

    async def _hear(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        body = orjson.loads(message.body)
        if message.type == "provider.message":
            self.messages.append(body)
        elif message.type == "provider.session":
            self.states.append(body)
        else:
            for item in body["items"]:
                self.statuses[item["callback_data"] or item["provider_message_id"]].append(item)

    # --- HTTP

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["name"] in self.refused:
            return web.json_response({}, status=self.refused[body["name"]])
        known = body["id"] in self.channels
        self.channels[body["id"]] = body
        await self.makes.wait()
        return web.json_response(body, status=200 if known else 201)

    async def _delete(self, request: web.Request) -> web.Response:
        self.deleted.add(request.match_info["id"])
        return web.Response(status=204)

    async def _keep(self, request: web.Request) -> web.Response:
        self.asked_to_keep += 1
        if self.away:
            return web.Response(status=503)
        await self.may_keep.wait()
        media_id = str(uuid4())
        self.files[media_id] = (await request.read(), request.content_type)
        return web.json_response({"id": media_id}, status=201)

    async def _content(self, request: web.Request) -> web.Response:
        kept = self.files.get(request.match_info["id"])
        if kept is None:
            return web.Response(status=404)
        return web.Response(body=kept[0], content_type=kept[1])

    # --- what chat asks, and what it waits for

    def command(self, workspace_id: UUID, session_id: UUID, phone: str, text: str, **more: Any) -> SessionSend:
        """A send as chat hands it over."""
        fields: dict[str, Any] = {
            "workspace_id": workspace_id,
            "session_id": session_id,
            "message_id": uuid7(),
            "attempt": 1,
            "to": Person(phone=phone),
            "content": Text(body=text),
            "requested_at": datetime.now(UTC),
        }
        return SessionSend(**(fields | more))

    @asynccontextmanager
    async def handing_over(self, sends: list[SessionSend], outstanding: int = 20) -> AsyncIterator[None]:
        """Chat's part meanwhile: hands over at most so many at once, and again what was returned."""

        async def hand() -> None:
            handed: dict[int, int] = {}  # number of the send → times it was returned when it was handed over
            while True:
                under_way = 0
                for n, each in enumerate(sends):
                    told = self.told(each)
                    if set(told) - {"returned"}:
                        continue
                    returned = told.count("returned")
                    if handed.get(n, -1) < returned and under_way < outstanding:
                        handed[n] = returned
                        await self.publisher.publish(each)
                    under_way += n in handed
                await asyncio.sleep(0.05)  # a pace, nothing is waited for

        handing = asyncio.create_task(hand())
        try:
            yield
        finally:
            handing.cancel()

    def told(self, command: SessionSend) -> list[str]:
        """Statuses told of a send, in order."""
        return [item["status"] for item in self.statuses[f"{command.message_id}:{command.attempt}"]]

    async def until_told(self, command: SessionSend, *wanted: str, within: float = 15.0) -> None:
        """Wait until one of these was told of a send."""
        try:
            await until(lambda: set(self.told(command)) & set(wanted), within)
        except AssertionError as error:
            raise AssertionError(f"{wanted} expected within {within:g} s, {self.told(command)} were told") from error

    async def until_written(self, text: str, within: float = 15.0) -> dict[str, Any]:
        """Wait until a message with this text came in."""
        found = await until(
            lambda: [m for m in self.messages if text in (m["content"].get("body"), m["content"].get("caption"))],
            within,
            what=f"{text!r} at chat",
        )
        return dict(found[0])


async def opened(vhost: str) -> AsyncIterator[ChatSide]:
    """A chat side that serves until the generator ends."""
    side = ChatSide(vhost)
    await side.open()
    yield side
    await side.close()
