"""The bridge with a real chat beside it: what is asked of chat leaves a real browser, or is told not to have."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest_asyncio
from blazz_chassis import context
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_chat.main import build as build_chat
from blazz_chat.settings import Settings as ChatSettings
from blazz_contracts.content import Content, Template, Text
from blazz_contracts.events import MessageRequested
from blazz_contracts.message import Lane, Origin, OriginKind
from blazz_contracts.recipient import Recipient
from pydantic import SecretStr

from tests.integration.webjs_bridge.conftest import CONTEXT_KEY, SEAL_KEY, World
from tests.support.polling import until

CUSTOMER = "4915177700009"
FIRST, SECOND = "4915140000001", "4366040000002"


class Pair:
    """Bridge and chat, and who asks them."""

    def __init__(self, bridge: World, chat: httpx.AsyncClient, publisher: Publisher) -> None:
        self.bridge, self._chat, self._publisher = bridge, chat, publisher

    async def chat(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call chat on behalf of the workspace."""
        who = context.WorkspaceContext(workspace_id=self.bridge.workspace_id, actor_kind="user")
        headers = {"Authorization": f"Bearer {context.sign(who, CONTEXT_KEY, audience='chat')}"}
        return await self._chat.request(method, f"/internal{path}", headers=headers, **more)

    async def send(self, session_id: UUID, content: Content) -> UUID:
        """Ask for a message, as the gateway does once it has accepted it."""
        message_id = uuid7()
        await self._publisher.publish(
            MessageRequested(
                workspace_id=self.bridge.workspace_id,
                message_id=message_id,
                channel_id=session_id,
                to=Recipient(phone=CUSTOMER),
                content=content,
                lane=Lane.URGENT,
                origin=Origin(kind=OriginKind.PERSON, id=uuid4()),
                requested_at=datetime.now(UTC),
            )
        )
        return message_id

    async def until_status(self, message_id: UUID, *wanted: str) -> dict[str, Any]:
        """Wait until the message is in one of these states."""
        seen: dict[str, Any] = {}

        async def reached() -> bool:
            answer = await self.chat("GET", f"/messages/{message_id}")
            seen.update(answer.json() if answer.status_code == 200 else {})
            return seen.get("status") in wanted

        await until(reached, 30, what=f"{wanted}")
        return seen

    async def until_stands(self, session_id: UUID, state: str) -> None:
        """Wait until chat has heard of the session's state."""

        async def told() -> bool:
            return bool((await self.chat("GET", f"/channels/{session_id}")).json()["session_state"] == state)

        await until(told, 30, what=f"{state} at chat")

    async def logged_out(self, session_id: UUID, phone: str) -> None:
        """The phone removes the device."""
        await self.bridge.fault(kind="logout", phone=phone)
        await self.bridge.until_state(session_id, "auth_failed")
        await self.until_stands(session_id, "auth_failed")

    async def linked_anew(self, session_id: UUID, phone: str) -> None:
        """A phone is linked to the same session."""
        assert (await self.bridge.api("POST", f"/internal/sessions/{session_id}/start")).status_code == 200
        await self.bridge.scan(session_id, phone)
        await self.bridge.until_state(session_id, "ready")

    async def written(self) -> list[tuple[str, str]]:
        """What customers got: from whom, and the text."""
        return [(entry["from"], (entry["body"] or {}).get("body")) for entry in await self.bridge.ledger()]


@pytest_asyncio.fixture(loop_scope="session")
async def pair(
    make_vhost: Callable[[], Awaitable[str]],
    make_database: Any,
    simulator_url: str,
    chromium_path: Path,
    wa_js: Path,
    tmp_path: Path,
) -> AsyncIterator[Pair]:
    """Both, in a virtual host of their own."""
    vhost, database = await make_vhost(), await make_database("chat")
    chat = build_chat(
        ChatSettings(
            env="local",
            http_port=0,
            amqp_url=SecretStr(vhost),
            database_api_url=SecretStr(database.api_url),
            database_worker_url=SecretStr(database.worker_url),
            context_key=SecretStr(CONTEXT_KEY),
            seal_key=SecretStr(SEAL_KEY),
            retry_scale=0.01,
            chat_graph_url=simulator_url,
            chat_media_path=tmp_path / "media",
            chat_poll=0.1,
        )
    )
    serving = asyncio.create_task(chat.serve())
    await asyncio.wait_for(chat.started.wait(), 20)
    await asyncio.wait_for(chat.consumer.started.wait(), 20)
    side: Any = SimpleNamespace(url=f"http://127.0.0.1:{chat.port}")
    bridge = World(vhost, await make_database("webjs-bridge"), simulator_url, side, tmp_path)
    await bridge.start()
    publisher = Publisher(vhost, service="gateway", queues=[])
    await publisher.start()
    await asyncio.wait_for(publisher.declared.wait(), 20)
    async with httpx.AsyncClient(base_url=side.url) as client:
        yield Pair(bridge, client, publisher)
    await publisher.stop()
    await bridge.close()
    chat.stop()
    await asyncio.wait_for(serving, 30)


async def test_a_template_leaves_the_browser_as_what_it_says(pair: Pair) -> None:
    session_id = await pair.bridge.linked("4915140000003")
    components = [
        {"type": "BODY", "text": "Hello {{1}}"},
        {"type": "FOOTER", "text": "The shop"},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track it", "url": "https://a.example/{{1}}"}]},
    ]
    assert (await pair.chat("PUT", "/templates/order/en_US", json={"components": components})).status_code == 201
    given = [
        {"type": "body", "parameters": [{"type": "text", "text": "Ada"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A-1"}]},
    ]
    message_id = await pair.send(session_id, Template(name="order", language="en_US", components=given))
    shown = await pair.until_status(message_id, "sent", "delivered", "read")
    text = "Hello Ada\n\nThe shop\n\nTrack it: https://a.example/A-1"
    assert (shown["type"], shown["text"]) == ("template", text)
    assert [said for _, said in await pair.written()].count(text) == 1


async def test_a_session_and_its_number_have_one_name_which_linking_leaves_alone(pair: Pair) -> None:
    bridge = pair.bridge
    session_id = await bridge.linked("4915140000005")
    shown = await bridge.session(session_id)
    assert (shown["name"], shown["account_name"] is not None) == ("Sales", True)
    renamed = await bridge.api("PATCH", f"/internal/sessions/{session_id}", json={"name": "Support"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Support")
    assert (await pair.chat("GET", f"/channels/{session_id}")).json()["name"] == "Support"
    assert (await pair.chat("PATCH", f"/channels/{session_id}", json={"name": "Desk"})).status_code == 200

    async def has_its_name() -> bool:
        return bool((await bridge.session(session_id))["name"] == "Desk")

    await until(has_its_name)
    nothing = await bridge.api("PATCH", f"/internal/sessions/{session_id}", json={})
    assert nothing.status_code == 422


async def test_what_waited_for_one_phone_does_not_leave_from_another_that_is_linked(pair: Pair) -> None:
    session_id = await pair.bridge.linked(FIRST)
    await pair.until_stands(session_id, "ready")
    await pair.logged_out(session_id, FIRST)
    waiting = [await pair.send(session_id, Text(body=f"For the first, {n}")) for n in range(3)]
    for message_id in waiting:
        await pair.until_status(message_id, "pending")
    await pair.linked_anew(session_id, SECOND)
    for message_id in waiting:
        failure = (await pair.until_status(message_id, "failed"))["failure"]
        assert failure["code"] == "number_changed"
        assert f"+{FIRST}" in failure["title"]
        assert f"+{SECOND}" in failure["title"]
    anew = await pair.send(session_id, Text(body="For the second"))
    await pair.until_status(anew, "sent", "delivered", "read")
    written = [said for _, said in await pair.written()]
    assert "For the second" in written
    assert not [said for said in written if said and said.startswith("For the first")]


async def test_what_waited_for_a_phone_leaves_when_it_is_linked_again(pair: Pair) -> None:
    phone = "4915140000004"
    session_id = await pair.bridge.linked(phone)
    await pair.until_stands(session_id, "ready")
    await pair.logged_out(session_id, phone)
    message_id = await pair.send(session_id, Text(body="It waits for its phone"))
    await pair.until_status(message_id, "pending")
    await pair.linked_anew(session_id, phone)
    await pair.until_status(message_id, "sent", "delivered", "read")
    assert [said for _, said in await pair.written()].count("It waits for its phone") == 1
