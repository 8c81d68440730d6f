"""The gateway before a real chat and a simulated WhatsApp: refusals at once, waiting, and what is handed on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest_asyncio
from aiohttp import web
from blazz_chassis import context
from blazz_chassis.ids import uuid7
from blazz_chat.main import build as build_chat
from blazz_chat.settings import Settings as ChatSettings
from blazz_simulator.app import build as build_simulator
from blazz_simulator.settings import Settings as SimulatorSettings
from pydantic import SecretStr

from tests.integration.gateway.conftest import CONTEXT_KEY, Build, Tenant, World
from tests.support.polling import until

NO_LIMITS = {"messages_per_second": None, "pair_seconds": None, "recipients_per_day": None}


@dataclass
class Stack:
    """Gateway, chat and simulator."""

    world: World
    tenant: Tenant
    simulator: httpx.AsyncClient
    number: str
    channel: dict[str, Any]
    chat_database: str
    """Its address, as chat's worker."""

    async def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.tenant.headers, **more.pop("headers", {})}
        return await self.world.http.request(method, f"/api/v1{path}", headers=headers, **more)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(make_world: Build, make_database: Any, tmp_path_factory: Any) -> AsyncIterator[Stack]:
    """All three, each on a port of its own."""
    folder: Path = tmp_path_factory.mktemp("stack")
    runner = web.AppRunner(build_simulator(SimulatorSettings(port=0, data=folder / "simulator")), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    simulator = httpx.AsyncClient(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    # The gateway comes first, for its virtual host; then again, with chat's address.
    first = await make_world(hear_chat=False)
    database = await make_database("chat")
    chat = build_chat(
        ChatSettings(
            env="local",
            http_port=0,
            amqp_url=SecretStr(first.vhost),
            database_api_url=SecretStr(database.api_url),
            database_worker_url=SecretStr(database.worker_url),
            context_key=SecretStr(CONTEXT_KEY),
            seal_key=first.settings.seal_key,
            retry_scale=0.01,
            chat_graph_url=str(simulator.base_url),
            chat_media_path=folder / "media",
            chat_poll=0.1,
            public_hosts_only=False,
        )
    )
    serving = asyncio.create_task(chat.serve())
    await asyncio.wait_for(chat.started.wait(), 30)
    await asyncio.wait_for(chat.consumer.started.wait(), 30)
    world = await first.start_again(chat_url=f"http://127.0.0.1:{chat.port}")
    tenant = await world.tenant()
    number = f"1{uuid4().int % 10**14:014d}"
    account = {"display_phone_number": number, "waba_id": f"2{number[1:]}", "access_token": "t", "app_secret": "s"}
    assert (await simulator.put(f"/_sim/accounts/{number}", json=account)).status_code < 300
    made = await world.http.post(
        "/api/v1/channels",
        json={
            "name": "Test",
            "phone_number_id": number,
            "waba_id": f"2{number[1:]}",
            "access_token": "t",
            "app_secret": "s",
            "verify_token": "v",
            "limits": NO_LIMITS,
        },
        headers=tenant.headers,
    )
    assert made.status_code == 201, made.text
    await until(lambda: world.knows(made.json()["id"]))
    yield Stack(world, tenant, simulator, number, made.json(), database.worker_url)
    chat.stop()
    await asyncio.wait_for(serving, 30)
    await simulator.aclose()
    await runner.cleanup()


async def send(stack: Stack, phone: str, text: str = "hello", **headers: str) -> httpx.Response:
    body = {"to": {"phone": phone}, "type": "text", "text": {"body": text}}
    return await stack.api("POST", "/messages", json=body, headers=headers)


async def test_a_channel_made_over_the_api_takes_webhooks(stack: Stack) -> None:
    identifier = stack.channel["webhook_identifier"]
    query = {"hub.mode": "subscribe", "hub.verify_token": "v", "hub.challenge": "42"}
    answer = await stack.world.http.get(f"/webhooks/whatsapp/{identifier}", params=query)
    assert (answer.status_code, answer.text) == (200, "42")


async def test_waiting_gives_the_message_as_sent(stack: Stack) -> None:
    answer = await send(stack, "+31611111101", Prefer="respond-async, wait=20")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "sent"
    assert body["provider_message_id"].startswith("wamid.")
    assert answer.headers["preference-applied"] == "wait=20"
    assert (await stack.api("GET", f"/messages/{body['id']}")).json()["provider_message_id"] == body[
        "provider_message_id"
    ]


async def test_waiting_tells_of_a_failure_too(stack: Stack) -> None:
    fault = await stack.simulator.put("/_sim/faults", json={"kind": "error", "codes": [131026], "count": 1})
    assert fault.status_code < 300, fault.text
    answer = await send(stack, "+31611111102", Prefer="wait=20")
    await stack.simulator.delete("/_sim/faults")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "failed"
    assert answer.json()["failure"]["provider_code"] == 131026


async def test_waiting_ends_when_its_time_is_over(stack: Stack) -> None:
    fault = await stack.simulator.put("/_sim/faults", json={"kind": "slow", "seconds": 4, "count": 1})
    assert fault.status_code < 300, fault.text
    answer = await send(stack, "+31611111103", Prefer="wait=1")
    await stack.simulator.delete("/_sim/faults")
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"


async def test_waiting_again_under_the_same_key_tells_what_became_of_it(stack: Stack) -> None:
    key = uuid4().hex
    first = await send(stack, "+31611111104", **{"Idempotency-Key": key})
    assert first.status_code == 202
    again = await send(stack, "+31611111104", **{"Idempotency-Key": key, "Prefer": "wait=20"})
    assert again.status_code == 200
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["status"] in ("sent", "delivered", "read")


async def test_what_chat_refuses_is_refused_at_once_and_leaves_nothing(stack: Stack) -> None:
    body = {"to": {"contact_id": str(uuid4())}, "type": "text", "text": {"body": "hello"}}
    key = {"Idempotency-Key": uuid4().hex}
    answer = await stack.api("POST", "/messages", json=body, headers=key)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert not await stack.world.rows("select 1 from accepted where idempotency_key = $1", key["Idempotency-Key"])
    old = await stack.world.http.post(
        "/chat/send", data={"contact_uuid": str(uuid4()), "message": "x"}, headers=stack.tenant.headers
    )
    assert (old.status_code, old.json()["errors"][0]["field"]) == (404, "contact_uuid")


async def test_the_answer_names_the_channel_and_get_agrees(stack: Stack) -> None:
    sent = (await send(stack, "+31611111105")).json()
    assert sent["channel_id"] == stack.channel["id"]

    async def known() -> Any:
        answer = await stack.api("GET", f"/messages/{sent['id']}")
        assert answer.status_code == 200
        return answer.json() if answer.json()["status"] != "pending" else None

    found = await until(known)
    assert found["content"] == sent["content"]
    assert found["channel_id"] == sent["channel_id"]
    assert found["created_at"][:19] == sent["created_at"][:19]


async def test_contacts_changes_and_messages_are_handed_on(stack: Stack) -> None:
    made = await stack.api("POST", "/contacts", json={"phone": "+31611111106", "name": "Ada Lovelace"})
    assert made.status_code == 201
    contact = made.json()
    assert (await stack.api("POST", "/contacts", json={"phone": "+31611111106"})).status_code == 200
    found = (await stack.api("GET", "/contacts?search=lovel")).json()
    assert [each["id"] for each in found["items"]] == [contact["id"]]
    assert (await stack.api("GET", f"/contacts/{contact['id']}")).json()["phone"] == "+31611111106"
    sent = (await send(stack, "+31611111106", Prefer="wait=20")).json()
    said = (await stack.api("GET", f"/contacts/{contact['id']}/messages?limit=5")).json()
    assert [each["id"] for each in said["items"]] == [sent["id"]]
    changes = (await stack.api("GET", "/changes?after=0&limit=500")).json()
    assert sent["id"] in [each["id"] for each in changes["changes"]]
    unknown = await stack.api("GET", f"/contacts/{uuid4()}")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"].startswith("application/problem+json")
    wrong = await stack.api("POST", "/contacts", json={"phone": "+31611111107", "nmae": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "nmae")


async def test_a_cursor_older_than_the_feed_is_told_so(stack: Stack) -> None:
    await send(stack, "+31611111120", Prefer="wait=20")
    chat = await asyncpg.connect(stack.chat_database)
    await chat.execute("delete from changes")
    await chat.close()
    answer = await stack.api("GET", "/changes?after=1")
    assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")
    assert "after=0" in answer.json()["detail"]


async def test_a_file_goes_in_and_comes_out_as_it_was(stack: Stack) -> None:
    data = bytes(range(256)) * 2_000
    made = await stack.api("POST", "/media", content=data, headers={"Content-Type": "image/png", "X-Filename": "a.png"})
    assert made.status_code == 201, made.text
    assert (made.json()["size"], made.json()["mime_type"]) == (len(data), "image/png")
    got = await stack.api("GET", f"/media/{made.json()['id']}/content")
    assert got.content == data
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    told = (await stack.api("GET", f"/media/{made.json()['id']}")).json()
    assert told["sha256"] == made.json()["sha256"]


async def test_a_file_name_in_plain_utf_8_is_kept(stack: Stack) -> None:
    name = {"X-Filename": "caf\u00e9 \u20ac.png".encode(), "Content-Type": "image/png"}
    made = await stack.api("POST", "/media", content=b"x", headers=name)
    assert (made.status_code, made.json()["filename"]) == (201, "caf\u00e9 \u20ac.png")


async def test_another_workspace_sees_nothing_of_it(stack: Stack) -> None:
    other = await stack.world.tenant()
    contact = (await stack.api("POST", "/contacts", json={"phone": "+31611111108"})).json()
    message = (await send(stack, "+31611111108", Prefer="wait=20")).json()
    for path in (
        f"/contacts/{contact['id']}",
        f"/contacts/{contact['id']}/messages",
        f"/messages/{message['id']}",
        f"/channels/{stack.channel['id']}",
    ):
        answer = await stack.world.http.get(f"/api/v1{path}", headers=other.headers)
        assert answer.status_code in (404, 200), path
        if answer.status_code == 200:
            assert answer.json()["items"] == []
    body = {"to": {"contact_id": contact["id"]}, "type": "text", "text": {"body": "x"}}
    assert (await stack.world.http.post("/api/v1/messages", json=body, headers=other.headers)).status_code in (404, 422)
    named = {"to": {"phone": "+31611111108"}, "type": "text", "text": {"body": "x"}, "channel_id": stack.channel["id"]}
    assert (await stack.world.http.post("/api/v1/messages", json=named, headers=other.headers)).status_code == 404
    assert (await stack.world.http.get("/api/v1/contacts", headers=other.headers)).json()["items"] == []


async def test_a_service_that_is_away_is_503_with_a_name(stack: Stack) -> None:
    answer = await stack.api("GET", "/campaigns")
    assert (answer.status_code, answer.json()["code"]) == (503, "campaign_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_the_old_services_addresses_send_through_the_workspaces_session(stack: Stack) -> None:
    tenant = await stack.world.tenant()
    who = context.WorkspaceContext(workspace_id=tenant.workspace_id, actor_kind="service")
    headers = {"Authorization": f"Bearer {context.sign(who, CONTEXT_KEY, audience='chat')}"}
    async with httpx.AsyncClient(base_url=stack.world.settings.chat_url) as chat:
        session = {"provider": "webjs", "id": str(uuid7()), "name": "WhatsApp Web"}
        made = await chat.post("/internal/channels", json=session, headers=headers)
    assert made.status_code == 201, made.text
    await until(lambda: stack.world.knows(made.json()["id"]))

    async def old(path: str, **body: Any) -> httpx.Response:
        return await stack.world.http.post(path, json={"phone": "+31611111190", **body}, headers=tenant.headers)

    sent = await old("/send", message="hello")
    path = f"/api/v1/messages/{sent.json()['messageId']}"
    shown: dict[str, Any] = {}

    async def stored() -> bool:
        shown.update((await stack.world.http.get(path, headers=tenant.headers)).json())
        return shown.get("conversation_id") is not None

    await until(stored)
    assert (shown["status"], shown["waits_for"]) == ("pending", "session_offline")
    assert shown["channel_id"] == session["id"]
    refused = await old("/send-template", templateName="welcome")
    assert (refused.status_code, refused.json()["code"]) == (422, "template_unknown_here")
    assert refused.json()["success"] is False
    template = {"components": [{"type": "BODY", "text": "Welcome, {{1}}"}]}
    address = "/api/v1/templates/welcome/en_US"
    assert (await stack.world.http.put(address, json=template, headers=tenant.headers)).status_code == 201
    values = [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}]
    sent = await old("/send-template", templateName="welcome", components=values)
    assert sent.json()["success"] is True, sent.text
    path = f"/api/v1/messages/{sent.json()['messageId']}"
    await until(stored)
    await until(lambda: _says(stack, tenant, path, "Welcome, Ada"))


async def _says(stack: Stack, tenant: Tenant, path: str, text: str) -> bool:
    return bool((await stack.world.http.get(path, headers=tenant.headers)).json()["text"] == text)


async def test_templates_are_written_taken_over_and_deleted(stack: Stack) -> None:
    body = {"components": [{"type": "BODY", "text": "Hello {{1}}"}, {"type": "FOOTER", "text": "The shop"}]}
    assert (await stack.api("PUT", "/templates/greeting/nl", json=body)).status_code == 201
    assert (await stack.api("PUT", "/templates/greeting/nl", json=body)).status_code == 200
    done = await stack.api("POST", "/templates/sync", json={"channel_id": stack.channel["id"]})
    assert (done.status_code, done.json()["kept"]) == (200, 2), done.text
    found = {each["name"]: each["source"] for each in (await stack.api("GET", "/templates")).json()["items"]}
    assert found == {"greeting": "workspace", "hello_world": "meta", "order_update": "meta"}
    assert (await stack.api("GET", "/templates/greeting/nl")).json()["components"] == body["components"]
    other = await stack.world.tenant()
    assert (await stack.world.http.get("/api/v1/templates", headers=other.headers)).json()["items"] == []
    for method in ("GET", "DELETE"):
        answer = await stack.world.http.request(method, "/api/v1/templates/greeting/nl", headers=other.headers)
        assert answer.status_code == 404
    assert (await stack.api("DELETE", "/templates/greeting/nl")).status_code == 204
    assert (await stack.api("GET", "/templates/greeting/nl")).status_code == 404


async def test_a_template_that_is_none_is_refused_with_the_place_of_the_mistake(stack: Stack) -> None:
    for components, field in (
        ([{"type": "BODY", "text": "{{2}}"}], "components.0.BODY.text"),
        ([{"type": "FOOTER", "text": "x"}], "body"),
        ([{"type": "BODY", "text": "x"}, {"type": "CAROUSEL"}], "components.1"),
    ):
        answer = await stack.api("PUT", "/templates/greeting/nl", json={"components": components})
        assert answer.status_code == 422, answer.text
        assert [each["field"] for each in answer.json()["errors"]] == [field], answer.text


async def test_a_name_leads_to_no_other_address(stack: Stack) -> None:
    for name in ("..%2f..%2fchannels", "%2e%2e", "a%3fx", "a%2fb", "a%00", "A", "x" * 513):
        answer = await stack.api("GET", f"/templates/{name}/en")
        assert answer.status_code in (404, 422), name
        assert answer.json()["code"] != "internal"
