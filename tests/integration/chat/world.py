"""What a test of chat has at hand: a workspace with a number, calls as the gateway makes them, and what it was told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
from blazz_chassis import context
from blazz_chassis.app import Service
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import Text
from blazz_contracts.events import MessageRequested, ProviderStatus, WebhooksAlive
from blazz_contracts.events.provider_status import StatusItem
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient

from tests.support.polling import until

if TYPE_CHECKING:
    from .house import House

CONTEXT_KEY = "k" * 40


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


def item(message_id: UUID, attempt: int, status: str, wamid: str, **more: Any) -> StatusItem:
    """One status of one attempt."""
    fields: dict[str, Any] = {
        "provider_message_id": wamid,
        "status": status,
        "at": datetime.now(UTC),
        "callback_data": f"{message_id}:{attempt}",
    }
    return StatusItem(**(fields | more))
