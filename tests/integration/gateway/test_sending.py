"""A request to send becomes exactly one command, and its answer can be trusted."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_gateway.message_request import SendMessage

from tests.integration.gateway.conftest import World
from tests.support.polling import until

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}


async def test_an_api_token_sends_in_the_high_lane_and_the_answer_says_pending(world: World) -> None:
    tenant = await world.tenant()
    answer = await world.send(tenant)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["type"], body["text"]) == ("pending", "text", "hello")
    assert answer.headers["location"] == f"/api/v1/messages/{body['id']}"
    (request,) = await world.until_told("message.requested", workspace_id=tenant.workspace_id)
    assert request["message_id"] == body["id"]
    assert request["lane"] == "high"
    assert request["origin"]["kind"] == "api"
    assert request["to"]["phone"] == "+31612345678"
    assert request["content"] == {"type": "text", "body": "hello", "preview_url": False}
    (heard,) = [each for each in world.heard if each.body.get("message_id") == body["id"]]
    assert heard.queue == "chat.send.high"
    assert UUID(body["id"]).version == 7


async def test_a_person_sends_in_the_urgent_lane_and_their_socket_is_named(world: World) -> None:
    tenant = await world.tenant()
    headers = await world.bearer(tenant.email)
    answer = await world.http.post("/api/v1/send-message", json=TEXT, headers={**headers, "X-Socket-ID": "12.34"})
    assert answer.status_code == 202
    (request,) = await world.until_told("message.requested", workspace_id=tenant.workspace_id)
    assert (request["lane"], request["socket_id"]) == ("urgent", "12.34")
    assert request["origin"] == {"kind": "person", "id": str(tenant.user_id)}


async def test_get_tells_pending_while_chat_is_away(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant()
    sent = (await world.send(tenant)).json()
    answer = await world.http.get(f"/api/v1/messages/{sent['id']}", headers=tenant.headers)
    assert answer.status_code == 200
    assert answer.json() == sent
    foreign = await world.http.get(f"/api/v1/messages/{sent['id']}", headers=other.headers)
    assert foreign.status_code == 503  # chat is away: nobody knows, and nothing is told


async def test_the_old_request_is_taken_as_form_and_as_json(world: World) -> None:
    tenant = await world.tenant()
    contact = str(uuid4())
    fields = {"contact_uuid": contact, "message": "hi", "type": "text"}
    for more in ({"data": fields}, {"json": fields}, {"files": {name: (None, each) for name, each in fields.items()}}):
        answer = await world.http.post("/chat/send", headers=tenant.headers, **more)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["success"] is True
        assert isinstance(body["message"], str)
        (request,) = await world.until_told("message.requested", message_id=body["data"]["chat_id"])
        assert request["to"]["contact_id"] == contact
        assert request["content"]["body"] == "hi"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**TEXT, "unknown": 1}, "unknown"),
        ({**TEXT, "text": {"body": "x" * 4097}}, "text.body"),
        ({**TEXT, "to": {"phone": "abc"}}, "to.phone"),
        ({**TEXT, "to": {}}, "to"),
        ({**TEXT, "text": None}, "text"),
        ({**TEXT, "text": {"body": "a\x00b"}}, "text.body"),
        ({**TEXT, "channel_id": "x"}, "channel_id"),
        ({**TEXT, "lane": "urgent"}, "lane"),
        ({**TEXT, "lane": "campaign"}, "lane"),
        ({**TEXT, "image": {"link": "https://example.com/a.jpg"}}, "image"),
        ({**TEXT, "type": "image", "text": None, "image": {"link": "ftp://x"}}, "image"),
    ],
)
async def test_bad_input_names_the_field_and_leaves_nothing(world: World, body: dict[str, Any], field: str) -> None:
    tenant = await world.tenant()
    answer = await world.http.post("/api/v1/messages", json=body, headers=tenant.headers)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not await world.rows("select 1 from accepted where workspace_id = $1", tenant.workspace_id)
    assert not world.told("message.requested", workspace_id=tenant.workspace_id)


@pytest.mark.parametrize("content", [b"{", b"", b'{"a": NaN}x', b"\xff"])
async def test_malformed_json_is_a_problem(world: World, content: bytes) -> None:
    tenant = await world.tenant()
    headers = {**tenant.headers, "content-type": "application/json"}
    answer = await world.http.post("/api/v1/messages", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_three_hundred_sends_at_once_are_three_hundred_commands(world: World) -> None:
    tenant = await world.tenant()
    answers = []
    for _ in range(3):
        answers += await asyncio.gather(*(world.send(tenant) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 300
    told = await world.until_told("message.requested", 300, workspace_id=tenant.workspace_id)
    assert {each["message_id"] for each in told} == ids


async def test_the_example_of_the_document_is_a_request(world: World) -> None:
    tenant = await world.tenant()
    for example in SendMessage.model_config["json_schema_extra"]["examples"]:  # type: ignore[index,call-overload]
        answer = await world.http.post("/api/v1/messages", json=example, headers=tenant.headers)
        assert answer.status_code == 202, answer.text
    await until(lambda: len(world.told("message.requested", workspace_id=tenant.workspace_id)) == 2)
