"""`Prefer: wait`: hears how messages fared from the broker, as the notifier does, while somebody waits for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.instance_queue import InstanceQueue
from blazz_contracts import Envelope
from blazz_contracts.events import MessageFailed, MessageSent
from blazz_contracts.message import Status

log = structlog.get_logger(__name__)

Known = dict[str, Any]
"""What changed of a message, by the names and in the JSON types of `MessageView`."""


Waiting = dict[UUID, set["Watch"]]
"""Who waits for which message."""


class Watch:
    """The messages that one request waits for; another may wait for the same, under the same Idempotency-Key."""

    def __init__(self, waiting: Waiting, *, deaf: bool) -> None:
        self._waiting = waiting
        self._futures: dict[UUID, asyncio.Future[Known]] = {}
        self.deaf = deaf
        """Nothing will be heard: the broker could not be listened to."""

    def expect(self, message_id: UUID) -> None:
        """Listen for this one, before it is published."""
        if message_id not in self._futures:
            self._futures[message_id] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(message_id, set()).add(self)

    async def outcome(self, message_id: UUID, seconds: float) -> Known | None:
        """What became of one that is expected, None when that is not known in time."""
        if self.deaf:
            return None
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._futures[message_id])
        except TimeoutError:
            return None

    def tell(self, message_id: UUID, known: Known) -> None:
        """It is known now."""
        if not self._futures[message_id].done():
            self._futures[message_id].set_result(known)

    def close(self) -> None:
        """Forget them."""
        for message_id in self._futures:
            watchers = self._waiting[message_id]
            watchers.discard(self)
            if not watchers:
                del self._waiting[message_id]


class Outcomes:
    """Listens to the workspaces in which somebody waits."""

    def __init__(self, queue: InstanceQueue) -> None:
        self._queue = queue
        self._listening: dict[UUID, int] = {}
        self._waiting: Waiting = {}
        queue.on(MessageSent)(self.on_sent)
        queue.on(MessageFailed)(self.on_failed)

    @asynccontextmanager
    async def watching(self, workspace_id: UUID) -> AsyncIterator[Watch]:
        """Hear of this workspace's messages while the block runs; a broker that is away makes it deaf, no more."""
        keys = [f"{event.name}.{workspace_id}" for event in (MessageSent, MessageFailed)]
        self._listening[workspace_id] = self._listening.get(workspace_id, 0) + 1
        try:
            await asyncio.gather(*(self._queue.bind(key) for key in keys))
            deaf = False
        except BrokerUnavailable as error:
            log.warning("cannot_wait", error=error.detail)
            deaf = True
        watch = Watch(self._waiting, deaf=deaf)
        try:
            yield watch
        finally:
            watch.close()
            self._listening[workspace_id] -= 1
            if not self._listening[workspace_id]:
                del self._listening[workspace_id]
            for key in keys:
                # Asked for each: somebody may begin to wait while the one before is being unbound.
                if workspace_id not in self._listening:
                    await self._queue.unbind(key)

    async def on_sent(self, event: MessageSent, _: Envelope) -> None:
        """WhatsApp accepted messages."""
        for item in event.items:
            self._tell(
                item.message_id,
                {
                    "status": Status.SENT.value,
                    "conversation_id": str(item.conversation_id),
                    "contact_id": str(item.contact_id),
                    "channel_id": str(item.channel_id),
                    "provider_message_id": item.provider_message_id,
                    "sent_at": item.at.isoformat().replace("+00:00", "Z"),
                },
            )

    async def on_failed(self, event: MessageFailed, _: Envelope) -> None:
        """Messages failed for good."""
        for item in event.items:
            ids = {
                "conversation_id": item.conversation_id,
                "contact_id": item.contact_id,
                "channel_id": item.channel_id,
            }
            known = {name: str(value) for name, value in ids.items() if value is not None}
            failure = item.failure.model_dump(mode="json")
            self._tell(item.message_id, {"status": Status.FAILED.value, "failure": failure, **known})

    def _tell(self, message_id: UUID, known: Known) -> None:
        for watch in self._waiting.get(message_id, ()):
            watch.tell(message_id, known)
