"""The bridge's side of the wire, and nothing more: takes a session's sends, tells what becomes of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aio_pika
from blazz_chassis import context
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import ProviderMessage, ProviderSession, ProviderStatus, SessionSend
from blazz_contracts.events.provider_status import StatusItem
from blazz_contracts.topology.queues import session_queue

from tests.support.polling import until

from .world import CONTEXT_KEY, World

Script = Callable[[SessionSend], list[tuple[str, dict[str, Any]]]]
"""What becomes of a send: statuses in order, each with what else is said."""

SENT: Script = lambda _: [("sent", {})]  # noqa: E731
SILENT: Script = lambda _: []  # noqa: E731


class BridgeSide:
    """One session. A message and attempt is sent once, however often it is asked; what became of it is told again."""

    def __init__(self, world: World, vhost: str, session_id: UUID) -> None:
        self.world = world
        self.session_id = session_id
        self.asked: list[SessionSend] = []
        self.sent: list[SessionSend] = []
        """Each message and attempt once, as the journal has it."""
        self.script: Script = SENT
        self.revision = 0
        self.publisher = Publisher(vhost, service="webjs-bridge", queues=[session_queue(session_id)])
        self._vhost = vhost
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._queue: aio_pika.abc.AbstractQueue | None = None
        self._tag: str | None = None

    async def start(self) -> None:
        """Declare the session's queue, as the bridge does before anything is sent."""
        await self.publisher.start()
        await until(self.publisher.declared.is_set, 20)
        self._connection = await aio_pika.connect(self._vhost)
        channel = await self._connection.channel()
        self._queue = await channel.get_queue(session_queue(self.session_id).name)

    async def stop(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        await self.publisher.stop()

    async def listen(self) -> None:
        """Begin to take sends; until then they wait in the queue."""
        assert self._queue is not None
        self._tag = await self._queue.consume(self._take)

    async def waiting(self) -> int:
        """Sends in the queue."""
        assert self._queue is not None
        declared = await self._queue.channel.declare_queue(self._queue.name, passive=True)
        return int(declared.declaration_result.message_count or 0)

    async def drop_queue(self) -> None:
        """The session is gone."""
        assert self._queue is not None
        await self._queue.delete(if_unused=False, if_empty=False)

    async def declare_again(self) -> None:
        """The bridge finds its queue missing, makes it anew and takes what comes into it."""
        assert self._connection is not None
        await self.publisher.redeclare()
        channel = await self._connection.channel()
        self._queue = await channel.get_queue(session_queue(self.session_id).name)
        await self.listen()

    async def connect(self, **more: Any) -> Any:
        """Make the channel, as the bridge does when it makes the session."""
        who = context.WorkspaceContext(workspace_id=self.world.workspace_id, actor_kind="service")
        headers = {"Authorization": f"Bearer {context.sign(who, CONTEXT_KEY, audience='chat')}"}
        body = {"provider": "webjs", "id": str(self.session_id), "name": "WhatsApp Web"} | more
        return await self.world.http.post("/internal/channels", json=body, headers=headers)

    async def state(self, state: str, *, revision: int | None = None, **more: Any) -> None:
        """Tell the session's state, and wait until chat has it."""
        self.revision = revision or self.revision + 1
        value = {"state": state, "since": datetime.now(UTC).isoformat(), "revision": self.revision} | more
        await self.publisher.publish(
            ProviderSession(
                workspace_id=self.world.workspace_id,
                channel_id=self.session_id,
                field="state",
                value=value,
                received_at=datetime.now(UTC),
            )
        )
        if revision is None:
            await until(lambda: self._known(self.revision))

    async def _known(self, revision: int) -> bool:
        rows = await self.world.rows("select 1 from channels where id = $1 and session_revision >= $2",
                                     self.session_id, revision)  # fmt: skip
        return bool(rows)

    async def tell(self, send: SessionSend, status: str, **more: Any) -> None:
        """Tell a status of a send."""
        callback = f"{send.message_id}:{send.attempt}"
        fields: dict[str, Any] = {
            "provider_message_id": callback if status in ("failed", "returned") else key_of(send),
            "status": status,
            "at": datetime.now(UTC),
            "callback_data": callback,
        }
        await self.statuses(StatusItem(**(fields | more)))

    async def statuses(self, *items: StatusItem) -> None:
        """Tell statuses of the channel."""
        await self.publisher.publish(
            ProviderStatus(workspace_id=self.world.workspace_id, channel_id=self.session_id, items=list(items))
        )

    async def bring(self, kind: str = "text", **fields: Any) -> ProviderMessage:
        """A message from WhatsApp Web."""
        made: dict[str, Any] = {
            "workspace_id": self.world.workspace_id,
            "channel_id": self.session_id,
            "provider_message_id": f"false_1@lid_{uuid4().hex.upper()}",
            "sent_at": datetime.now(UTC),
            "type": kind,
            "content": {"body": "hello"},
        }
        event = ProviderMessage(**(made | fields))
        await self.publisher.publish(event)
        return event

    async def _take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        send = SessionSend.model_validate_json(message.body)
        self.asked.append(send)
        if not any((s.message_id, s.attempt) == (send.message_id, send.attempt) for s in self.sent):
            self.sent.append(send)
        for status, more in self.script(send):
            await self.tell(send, status, **more)
        await message.ack()


def key_of(send: SessionSend) -> str:
    """WhatsApp's id of what was sent."""
    return f"true_{send.to.phone or send.to.lid}@c.us_{send.message_id.hex.upper()}{send.attempt}"


def failing(code: str, *, passing: bool = False) -> Script:
    """Every send fails so."""
    return lambda _: [("failed", {"errors": [{"code": code, "title": f"because {code}", "passing": passing}]})]


async def stored(world: World, event: ProviderMessage) -> dict[str, Any]:
    """The message that this one became, as the API shows it."""

    async def found() -> dict[str, Any] | None:
        rows = await world.rows(
            "select id from messages where channel_id = $1 and provider_message_id = $2 and origin_kind is null",
            event.channel_id,
            event.provider_message_id,
        )
        return await world.message(rows[0]["id"]) if rows else None

    return dict(await until(found))


def later(seconds: float) -> datetime:
    """A moment after now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def new_session() -> UUID:
    """An id of a session."""
    return uuid7()


async def asked_of(bridge: BridgeSide, message_id: UUID, times: int = 1) -> list[Any]:
    """How often a message was handed over, at least so many times: the commands."""

    def asked() -> list[Any]:
        return [send for send in bridge.asked if send.message_id == message_id]

    await until(lambda: len(asked()) >= times, what=f"{times} handed over")
    return asked()
