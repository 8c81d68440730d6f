"""A WhatsApp Web session of another workspace is never reachable, by no address and under no name."""

from collections.abc import AsyncIterator

import pytest_asyncio
from blazz_contracts.events import ChannelUpdated

from tests.integration.gateway.bridge_side import BridgeSide
from tests.integration.gateway.conftest import Build
from tests.support.polling import until


@pytest_asyncio.fixture(loop_scope="session")
async def bridge() -> AsyncIterator[BridgeSide]:
    made = BridgeSide()
    await made.start()
    yield made
    await made.stop()


async def test_no_address_reaches_another_workspaces_session(make_world: Build, bridge: BridgeSide) -> None:
    world = await make_world(webjs_bridge_url=bridge.url)
    mine, theirs = await world.tenant(), await world.tenant()
    made = await world.http.post("/api/v1/sessions", json={}, headers=theirs.headers)
    session_id = made.json()["id"]
    path, old = f"/api/v1/sessions/{session_id}", f"/session/workspace_{theirs.workspace_id}"
    phone = {"phone": "+31612345678"}
    for method, address, body, status in (
        ("GET", path, None, 404), ("PATCH", path, {"options": {}}, 404), ("DELETE", path, None, 404),
        ("GET", f"{path}/qr", None, 404), ("GET", f"{path}/qr.png", None, 404), ("POST", f"{path}/pair", phone, 404),
        ("POST", f"{path}/start", None, 404), ("POST", f"{path}/stop", None, 404),
        ("POST", f"{path}/restart", None, 404), ("POST", f"{path}/logout", None, 404),
        ("GET", f"/session/{session_id}/qr", None, 404), ("GET", f"/session/{session_id}/status", None, 404),
        ("GET", f"{old}/qr", None, 403), ("GET", f"{old}/status", None, 403),
        ("POST", "/session/init", {"workspaceId": str(theirs.workspace_id)}, 403),
        ("POST", "/send", {**phone, "message": "hi", "workspaceId": str(theirs.workspace_id)}, 403),
        ("POST", "/send", {**phone, "message": "hi", "sessionId": f"workspace_{theirs.workspace_id}"}, 403),
    ):  # fmt: skip
        answer = await world.http.request(method, address, json=body, headers=mine.headers)
        assert answer.status_code == status, (method, address, answer.text)
        assert (await world.http.request(method, address, json=body)).status_code == 401
    assert (await world.http.get("/api/v1/sessions", headers=mine.headers)).json()["items"] == []
    assert bridge.sessions[session_id]["state"] == "qr"


async def test_who_names_no_session_sends_through_none_of_another_workspace(make_world: Build) -> None:
    world = await make_world()
    mine, theirs = await world.tenant(), await world.tenant()
    number = await world.number(theirs.workspace_id)
    await world.tell(
        ChannelUpdated(
            workspace_id=theirs.workspace_id, channel_id=number.id, revision=2, provider="webjs", display_name="Theirs"
        )
    )
    await until(lambda: world.rows("select 1 from channels where id = $1 and provider = 'webjs'", number.id))
    body = {"phone": "+31612345678", "message": "hi"}
    answer = await world.http.post("/send", json=body, headers=mine.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_session")


async def test_no_body_makes_a_path_of_another_address(make_world: Build, bridge: BridgeSide) -> None:
    world = await make_world(webjs_bridge_url=bridge.url)
    tenant = await world.tenant()
    for name in ("..", "%2e%2e", "x%2F..%2Fy", "workspace_", "workspace_1", "workspace_../x"):
        answer = await world.http.get(f"/session/{name}/status", headers=tenant.headers)
        assert answer.status_code in (200, 403, 404), name
        if answer.status_code == 200:
            assert answer.json()["status"] == "disconnected"
