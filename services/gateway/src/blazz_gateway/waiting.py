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


class Watch:
    """The messages that one request waits for."""

    def __init__(self, futures: "dict[UUID, asyncio.Future[Known]]", *, deaf: bool) -> None:
        self._futures, self._mine = futures, set[UUID]()
        self.deaf = deaf
        """Nothing will be heard: the broker could not be listened to."""

    def expect(self, message_id: UUID) -> None:
        """Listen for this one, before it is published."""
        self._mine.add(message_id)
        self._futures.setdefault(message_id, asyncio.get_running_loop().create_future())

    async def outcome(self, message_id: UUID, seconds: float) -> Known | None:
        """What became of it, None when that is not known in time."""
        if self.deaf:
            return None
        try:
            async with asyncio.timeout(seconds):
                # Shielded: another request with the same Idempotency-Key may wait for the same message.
                return await asyncio.shield(self._futures[message_id])
        except TimeoutError:
            return None

    def close(self) -> None:
        """Forget them."""
        for message_id in self._mine:
            self._futures.pop(message_id, None)


class Outcomes:
    """Listens to the workspaces in which somebody waits."""

    def __init__(self, queue: InstanceQueue) -> None:
        self._queue = queue
        self._waiting: dict[UUID, int] = {}
        self._futures: dict[UUID, asyncio.Future[Known]] = {}
        queue.on(MessageSent)(self.on_sent)
        queue.on(MessageFailed)(self.on_failed)

    @asynccontextmanager
    async def watching(self, workspace_id: UUID) -> AsyncIterator[Watch]:
        """Hear of this workspace's messages while the block runs; a broker that is away makes it deaf, no more."""
        keys = [f"{event.name}.{workspace_id}" for event in (MessageSent, MessageFailed)]
        self._waiting[workspace_id] = self._waiting.get(workspace_id, 0) + 1
        try:
            await asyncio.gather(*(self._queue.bind(key) for key in keys))
            deaf = False
        except BrokerUnavailable as error:
            log.warning("cannot_wait", error=error.detail)
            deaf = True
        watch = Watch(self._futures, deaf=deaf)
        try:
            yield watch
        finally:
            watch.close()
            self._waiting[workspace_id] -= 1
            if not self._waiting[workspace_id]:
                del self._waiting[workspace_id]
            for key in keys:
                # Asked for each: somebody may begin to wait while the one before is being unbound.
                if workspace_id not in self._waiting:
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
        future = self._futures.get(message_id)
        if future is not None and not future.done():
            future.set_result(known)
