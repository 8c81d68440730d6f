"""Chat's side of the wire, and nothing more: takes requests, tells outcomes, answers for its channels."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aio_pika
from aiohttp import web
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import MessageFailed, MessageRequested, MessageSent, StatusUpdated
from blazz_contracts.events.message_failed import FailedItem
from blazz_contracts.events.message_sent import SentItem
from blazz_contracts.events.status_updated import UpdatedItem
from blazz_contracts.message import MAX_ITEMS, Failure, Lane, Status
from blazz_contracts.topology import of_service
from blazz_contracts.topology.queues import CHAT_SEND

Script = Callable[[MessageRequested], Sequence[str | Failure]]
"""What becomes of a message: statuses in order, a `Failure` for message.failed."""

SENT: Script = lambda _: ["sent"]  # noqa: E731


class ChatSide:
    """Takes `message.requested.campaign`; a message id is acted on once, as chat does it."""

    def __init__(self, vhost: str) -> None:
        self._vhost = vhost
        self.publisher = Publisher(vhost, service="chat", queues=of_service("chat"))
        self.requests: dict[UUID, MessageRequested] = {}
        self.asked: Counter[UUID] = Counter()
        """How often each id was requested; more than once is allowed, two ids for one phone are not."""
        self.script: Script = SENT
        self.channels: dict[str, dict[str, Any]] = {}
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._new = asyncio.Queue[MessageRequested]()
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.publisher.start()
        await asyncio.wait_for(self.publisher.declared.wait(), 20)
        app = web.Application()
        app.router.add_get("/internal/channels/{id}", self._channel)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._telling = asyncio.create_task(self._tell_all())

    async def listen(self) -> None:
        """Begin to take requests; until then they wait in the queue."""
        channel = await self.plain_channel()
        await channel.set_qos(prefetch_count=500)
        queue = await channel.get_queue(CHAT_SEND[Lane.CAMPAIGN].name)
        await queue.consume(self._take)

    async def plain_channel(self) -> aio_pika.abc.AbstractChannel:
        """A channel beside the publisher's."""
        if self._connection is None:
            self._connection = await aio_pika.connect(self._vhost)
        return await self._connection.channel()

    async def stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        if self._connection is not None:
            await self._connection.close()
        await self.publisher.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def channel(self, channel_id: UUID, state: str = "active", reason: str | None = None) -> None:
        """Have a channel."""
        self.channels[str(channel_id)] = {
            "id": str(channel_id),
            "provider": "meta",
            "name": "Test",
            "phone_number_id": "1",
            "waba_id": "2",
            "display_phone_number": None,
            "webhook_identifier": "x",
            "state": state,
            "state_reason": reason,
            "limits": {},
            "created_at": datetime.now(UTC).isoformat(),
        }

    async def _channel(self, request: web.Request) -> web.Response:
        found = self.channels.get(request.match_info["id"])
        return web.json_response(found or {"code": "channel_not_found"}, status=200 if found else 404)

    async def _take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        request = MessageRequested.model_validate_json(message.body)
        self.asked[request.message_id] += 1
        if request.message_id not in self.requests:
            self.requests[request.message_id] = request
            self._new.put_nowait(request)
        await message.ack()

    async def _tell_all(self) -> None:
        while True:
            batch = [await self._new.get()]
            while not self._new.empty() and len(batch) < MAX_ITEMS:
                batch.append(self._new.get_nowait())
            await self._tell({request.message_id: self.script(request) for request in batch})

    async def tell(self, ids: Iterable[UUID], *outcomes: str | Failure) -> None:
        """Tell these outcomes, in order, of each of these messages."""
        await self._tell(dict.fromkeys(ids, outcomes))

    async def _tell(self, outcomes: Mapping[UUID, Sequence[str | Failure]]) -> None:
        steps = max((len(each) for each in outcomes.values()), default=0)
        for step in range(steps):
            due = [(self.requests[message_id], each[step]) for message_id, each in outcomes.items() if len(each) > step]
            events: dict[type, list[Any]] = {}
            for request, outcome in due:
                kind, item = _item(request, outcome)
                events.setdefault(kind, []).append(item)
            for kind, items in events.items():
                for at in range(0, len(items), MAX_ITEMS):
                    part = items[at : at + MAX_ITEMS]
                    await self.publisher.publish(kind(workspace_id=due[0][0].workspace_id, items=part))


def _item(request: MessageRequested, outcome: str | Failure) -> tuple[type, Any]:
    common: dict[str, Any] = {
        "message_id": request.message_id,
        "conversation_id": request.message_id,
        "contact_id": request.message_id,
        "channel_id": request.channel_id,
        "origin": request.origin,
        "at": datetime.now(UTC),
    }
    if isinstance(outcome, Failure):
        return MessageFailed, FailedItem(**common, attempt=1, failure=outcome)
    if outcome == "sent":
        return MessageSent, SentItem(**common, attempt=1, provider_message_id=f"wamid.{uuid7()}")
    return StatusUpdated, UpdatedItem(**common, status=Status(outcome))
