"""WhatsApp Web sessions over the API, and under the addresses of the service before."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from blazz_chassis.ids import uuid7
from blazz_contracts.events import ChannelUpdated

from tests.integration.gateway.bridge_side import PICTURE, BridgeSide
from tests.integration.gateway.conftest import Build, Tenant, World
from tests.support.polling import until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bridge() -> AsyncIterator[BridgeSide]:
    made = BridgeSide()
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(make_world: Build, bridge: BridgeSide) -> World:
    return await make_world(webjs_bridge_url=bridge.url)


@pytest_asyncio.fixture(loop_scope="session")
async def tenant(world: World) -> Tenant:
    return await world.tenant()


async def call(world: World, tenant: Tenant, method: str, path: str, **more: Any) -> Any:
    return await world.http.request(method, path, headers={**tenant.headers, **more.pop("headers", {})}, **more)


async def session_of(world: World, tenant: Tenant) -> str:
    answer = await call(world, tenant, "POST", "/api/v1/sessions", json={})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def number_of(world: World, tenant: Tenant, session_id: str | None = None) -> UUID:
    """The session's channel, as chat tells of it."""
    channel_id = UUID(session_id) if session_id else uuid7()
    await world.tell(
        ChannelUpdated(
            workspace_id=tenant.workspace_id, channel_id=channel_id, revision=1, provider="webjs", display_name="Web"
        )
    )
    await until(lambda: world.knows(channel_id))
    return channel_id


async def test_a_session_is_made_changed_steered_and_ended(world: World, tenant: Tenant) -> None:
    session_id = await session_of(world, tenant)
    path = f"/api/v1/sessions/{session_id}"
    listed = (await call(world, tenant, "GET", "/api/v1/sessions")).json()["items"]
    assert [each["id"] for each in listed] == [session_id]
    changed = await call(world, tenant, "PATCH", path, json={"options": {"groups": True}})
    assert changed.json()["options"]["groups"] is True
    paired = await call(world, tenant, "POST", f"{path}/pair", json={"phone": "+31612345678"})
    assert paired.json()["pairing_code"] == "CODE-5678"
    for verb, state in (("stop", "stopped"), ("start", "starting"), ("restart", "starting"), ("logout", "qr")):
        assert (await call(world, tenant, "POST", f"{path}/{verb}")).json()["state"] == state
    assert (await call(world, tenant, "DELETE", path)).status_code == 202
    assert (await call(world, tenant, "GET", path)).status_code == 404


async def test_the_code_is_shown_as_json_or_as_a_picture_and_kept_by_nobody(world: World, tenant: Tenant) -> None:
    path = f"/api/v1/sessions/{await session_of(world, tenant)}/qr"
    plain = await call(world, tenant, "GET", path)
    assert plain.json()["code"] == "2@abc"
    for answer in (
        await call(world, tenant, "GET", path, headers={"Accept": "image/png"}),
        await call(world, tenant, "GET", f"{path}.png"),
    ):
        assert (answer.headers["content-type"], answer.content) == ("image/png", PICTURE)
        assert answer.headers["cache-control"] == "no-store"


async def test_the_key_of_a_session_goes_on_with_it(world: World, tenant: Tenant) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    answers = [await call(world, tenant, "POST", "/api/v1/sessions", json={}, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert len({each.json()["id"] for each in answers}) == 1
    assert [each.headers.get("idempotency-replayed") for each in answers] == [None, "true"]
    other = await call(world, tenant, "POST", "/api/v1/sessions", json={}, headers={"Idempotency-Key": uuid4().hex})
    assert other.json()["id"] != answers[0].json()["id"]
    wrong = await call(world, tenant, "POST", "/api/v1/sessions", json={}, headers={"Idempotency-Key": "k" * 256})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    described = (await world.http.get("/openapi.json")).json()["paths"]["/api/v1/sessions"]["post"]["parameters"]
    assert [each["name"] for each in described] == ["Idempotency-Key"]


async def test_the_bridge_away_is_said_so(make_world: Build) -> None:
    world = await make_world()
    answer = await call(world, await world.tenant(), "GET", "/api/v1/sessions")
    assert (answer.status_code, answer.json()["code"]) == (503, "webjs_bridge_unavailable")


async def test_the_public_address_for_channels_makes_metas_alone(world: World, tenant: Tenant) -> None:
    answer = await call(world, tenant, "POST", "/api/v1/channels", json={"provider": "webjs", "name": "Mine"})
    assert answer.status_code == 422
    assert "provider" in {each["field"] for each in answer.json()["errors"]}


async def test_who_may_only_read_sees_sessions_and_no_code(world: World, tenant: Tenant) -> None:
    session_id = await session_of(world, tenant)
    for role in ("viewer", "agent"):
        _, headers = await world.member(tenant, role)
        assert (await world.http.get("/api/v1/sessions", headers=headers)).status_code == 200
        for method, path in (("GET", f"/{session_id}/qr"), ("GET", f"/{session_id}/qr.png"), ("POST", ""),
                             ("POST", f"/{session_id}/start"), ("DELETE", f"/{session_id}")):  # fmt: skip
            answer = await world.http.request(method, f"/api/v1/sessions{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_missing"), path


async def test_a_pairing_code_is_shown_to_who_may_link_a_phone_alone(
    world: World, tenant: Tenant, bridge: BridgeSide
) -> None:
    session_id = await session_of(world, tenant)
    path = f"/api/v1/sessions/{session_id}"
    await call(world, tenant, "POST", f"{path}/pair", json={"phone": "+31612345678"})
    whole = (await call(world, tenant, "GET", path)).json()
    assert whole["pairing_code"] == "CODE-5678"
    readers = [(await world.member(tenant, role))[1] for role in ("viewer", "agent")]
    asked = {"name": "reads", "scopes": ["channels:read"]}
    made = await world.http.post("/api/v1/tokens", json=asked, headers=await world.bearer(tenant.email))
    readers.append({"Authorization": f"Bearer {made.json()['token']}"})
    for headers in readers:
        answer = await world.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (200, whole | {"pairing_code": None})
        listed = (await world.http.get("/api/v1/sessions", headers=headers)).json()
        assert listed == {"items": [whole | {"pairing_code": None}], "next": None}
        assert "CODE-" not in answer.text
    for role in ("admin", "owner"):
        _, headers = await world.member(tenant, role)
        assert (await world.http.get(path, headers=headers)).json() == whole
        assert (await world.http.get("/api/v1/sessions", headers=headers)).json()["items"] == [whole]


# --- the addresses of the service before


async def test_init_makes_one_session_and_then_says_that_it_is_there(
    world: World, tenant: Tenant, bridge: BridgeSide
) -> None:
    asked = {"workspaceId": str(tenant.workspace_id), "phoneNumber": "+31612345678"}
    first = (await call(world, tenant, "POST", "/session/init", json=asked)).json()
    again = (await call(world, tenant, "POST", "/session/init", json={})).json()
    assert first == {"success": True, "sessionId": first["sessionId"], "status": "initializing"}
    assert again == {"success": True, "sessionId": first["sessionId"], "status": "existing"}
    bridge.sessions[first["sessionId"]]["state"] = "stopped"
    woken = (await call(world, tenant, "POST", "/session/init", json={})).json()
    assert (woken["sessionId"], woken["status"]) == (first["sessionId"], "initializing")
    assert bridge.sessions[first["sessionId"]]["state"] == "starting"


async def test_init_twice_at_the_same_moment_makes_one_session(
    world: World, tenant: Tenant, bridge: BridgeSide
) -> None:
    bridge.slow = 0.2  # all of them find none
    answers = await asyncio.gather(*(call(world, tenant, "POST", "/session/init", json={}) for _ in range(5)))
    bridge.slow = 0.0
    assert {each.status_code for each in answers} == {200}
    assert len({each.json()["sessionId"] for each in answers}) == 1
    assert len((await call(world, tenant, "GET", "/api/v1/sessions")).json()["items"]) == 1


async def test_a_session_is_found_by_its_id_and_by_its_old_name(
    world: World, tenant: Tenant, bridge: BridgeSide
) -> None:
    old_name = f"workspace_{tenant.workspace_id}"
    nothing = (await call(world, tenant, "GET", f"/session/{old_name}/status")).json()
    assert (nothing["success"], nothing["status"]) == (True, "disconnected")
    oldest = await session_of(world, tenant)
    await session_of(world, tenant)
    for name in (oldest, old_name):
        status = (await call(world, tenant, "GET", f"/session/{name}/status")).json()
        assert (status["success"], status["sessionId"], status["status"]) == (True, oldest, "initializing")
        code = (await call(world, tenant, "GET", f"/session/{name}/qr")).json()
        assert (code["success"], code["qr"]) == (True, "2@abc")
        assert code["image"].startswith("data:image/png;base64,")
    for state, word in (("ready", "connected"), ("auth_failed", "auth_failed"), ("offline", "disconnected")):
        bridge.sessions[oldest]["state"] = state
        assert (await call(world, tenant, "GET", f"/session/{oldest}/status")).json()["status"] == word


@pytest.mark.parametrize(
    ("path", "body", "kind", "content"),
    [
        ("/send", {"message": "hello"}, "text", {"body": "hello"}),
        ("/send-media", {"mediaUrl": "https://x.test/a.png?b=1", "caption": "c"}, "image",
         {"link": "https://x.test/a.png?b=1", "caption": "c"}),
        ("/send-media", {"media": "https://x.test/a", "filename": "a.pdf"}, "document", {"filename": "a.pdf"}),
        ("/send-template", {"templateName": "welcome", "language": "nl"}, "template", {"name": "welcome"}),
    ],
)  # fmt: skip
async def test_what_is_sent_goes_the_way_of_every_message(
    world: World, tenant: Tenant, path: str, body: dict[str, Any], kind: str, content: dict[str, Any]
) -> None:
    channel_id = await number_of(world, tenant)
    answer = await call(world, tenant, "POST", path, json={"phone": "+31 6 1234-5678", **body})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert set(said) == {"success", "messageId", "timestamp"}
    (event,) = await world.until_told("message.requested", message_id=said["messageId"])
    assert (event["channel_id"], event["to"]["phone"], event["lane"]) == (str(channel_id), "31612345678", "high")
    assert event["content"]["type"] == kind
    assert content.items() <= event["content"].items()


async def test_which_session_sends_may_be_named(world: World, tenant: Tenant) -> None:
    oldest, other = await number_of(world, tenant), await number_of(world, tenant)
    contact = str(uuid4())
    for named, meant in ((None, oldest), (f"workspace_{tenant.workspace_id}", oldest), (str(other), other)):
        body = {"contactId": contact, "message": "hi", "workspaceId": str(tenant.workspace_id), "sessionId": named}
        said = (await call(world, tenant, "POST", "/send", json=body)).json()
        (event,) = await world.until_told("message.requested", message_id=said["messageId"])
        assert (event["channel_id"], event["to"]["contact_id"]) == (str(meant), contact)


async def test_the_same_key_gives_the_same_message(world: World, tenant: Tenant) -> None:
    await number_of(world, tenant)
    body, headers = {"phone": "31612345678", "message": "once"}, {"Idempotency-Key": uuid4().hex}
    first = await call(world, tenant, "POST", "/send", json=body, headers=headers)
    again = await call(world, tenant, "POST", "/send", json=body, headers=headers)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_refusals_are_in_the_old_words(world: World, tenant: Tenant) -> None:
    cases: list[tuple[str, Any, int]] = [
        ("/send", {"phone": "31612345678", "message": "hi"}, 404),  # no session yet
        ("/send", {"message": "hi"}, 422),
        ("/send", {"phone": "31612345678"}, 422),
        ("/send", {"phone": "nobody", "message": "hi"}, 422),
        ("/send", {"phone": "31612345678", "message": "hi", "sessionId": "elsewhere"}, 404),
        ("/send-media", {"phone": "31612345678"}, 422),
        ("/send-media", {"phone": "31612345678", "mediaUrl": "ftp://x.test/a.png"}, 422),
        ("/send", {"phone": "31612345678", "message": "hi", "workspaceId": 1}, 403),
        ("/session/init", {"workspaceId": str(uuid4())}, 403),
    ]
    for number, (path, body, status) in enumerate(cases):
        if number == 1:
            await number_of(world, tenant)
        answer = await call(world, tenant, "POST", path, json=body)
        said = answer.json()
        assert (answer.status_code, said["success"]) == (status, False), (path, body, said)
        assert said["error"]
    nobody = await world.http.post("/send", json={"phone": "31612345678", "message": "hi"})
    assert (nobody.status_code, nobody.json()["success"]) == (401, False)
