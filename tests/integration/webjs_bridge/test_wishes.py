"""What people wish of a session while others are at it: what was wished last holds."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_chassis.seal import Sealer
from blazz_contracts.session import SessionState
from blazz_webjs_bridge import session as sessions
from blazz_webjs_bridge.browsers import Browsers
from blazz_webjs_bridge.leases import Leases
from blazz_webjs_bridge.session import COLUMNS
from blazz_webjs_bridge.standings import Standings
from blazz_webjs_bridge.state import Standing

from tests.integration.webjs_bridge.conftest import SEAL_KEY, World
from tests.support.polling import until

CUSTOMER = "4915177700003"


async def test_a_phone_linked_after_a_logout_brings_nothing_from_before(idle_world: World) -> None:
    world = idle_world
    await world.start(webjs_bridge_history_margin=0)
    other = await world.linked("4915140000002")  # the phone has a history; who had it is away
    await world.api("POST", f"/internal/sessions/{other}/stop")
    await world.until_state(other, "stopped")
    session_id = await world.linked("4915140000001")
    await world.customer(CUSTOMER, text="To the first", to="4915140000001")
    await world.chat.until_written("To the first")
    await world.api("POST", f"/internal/sessions/{session_id}/logout")
    await world.until_state(session_id, "stopped")
    await world.customer(CUSTOMER, text="Private", to="4915140000002")
    await asyncio.sleep(1.1)  # WhatsApp's clock counts seconds
    await world.api("POST", f"/internal/sessions/{session_id}/start")
    await world.scan(session_id, "4915140000002")
    await world.until_state(session_id, "ready")
    await world.customer(CUSTOMER, text="To the second", to="4915140000002")
    await world.chat.until_written("To the second")
    said = [each["content"].get("body") for each in world.chat.messages]
    assert "Private" not in said


async def test_a_session_deleted_while_it_logs_out_is_deleted(idle_world: World) -> None:
    world = idle_world
    service = await world.start(webjs_bridge_capacity=0)
    session_id = await world.create()
    (row,) = await world.rows(
        "update web_sessions set owner = 'owner', fence = 1, lease_until = now() + interval '1 hour', "
        f"wanted = 'deleted' where id = $1 returning {COLUMNS}",
        session_id,
    )
    standings = Standings(service.database, service.outbox, Sealer(SEAL_KEY), margin=0)
    over = Standing(SessionState.STOPPED, "logged out by a person")
    assert await standings.stand(sessions.of(row), over, stops=True) is not None
    await world.rows("update web_sessions set owner = null where id = $1", session_id)

    async def gone() -> bool:
        return (await world.api("GET", f"/internal/sessions/{session_id}")).status_code == 404

    await until(gone, 10)


async def until_gone(world: World, session_id: UUID, within: float = 20.0) -> None:
    """Wait until a session is deleted."""

    async def gone() -> bool:
        return (await world.api("GET", f"/internal/sessions/{session_id}")).status_code == 404

    await until(gone, within)


async def test_a_stopped_session_that_is_deleted_leaves_no_device_either(world: World) -> None:
    session_id = await world.linked("4915140000003")
    await world.api("POST", f"/internal/sessions/{session_id}/stop")
    await world.until_state(session_id, "stopped")
    await world.api("DELETE", f"/internal/sessions/{session_id}")
    await until_gone(world, session_id)
    devices = (await world.simulator.get("/_sim/web/devices")).json()["devices"]
    assert [each["state"] for each in devices if each["phone"] == "4915140000003"] == ["logged_out"]


async def test_stop_and_start_at_once_leaves_a_session_that_sends(world: World) -> None:
    session_id = await world.linked("4915140000004")
    await world.api("POST", f"/internal/sessions/{session_id}/stop")
    await world.api("POST", f"/internal/sessions/{session_id}/start")
    await asyncio.sleep(3)  # more than the time between two renewals: the owner has seen it
    await world.until_state(session_id, "ready")
    command = world.chat.command(world.workspace_id, session_id, CUSTOMER, "Still here")
    async with world.chat.handing_over([command]):
        await world.chat.until_told(command, "sent", "delivered", "read")


async def test_a_session_whose_owner_was_killed_is_stopped_all_the_same(idle_world: World) -> None:
    world = idle_world
    await world.start(webjs_bridge_capacity=0)
    session_id = await world.create()
    await world.rows(
        "update web_sessions set owner = 'killed', lease_until = now() + interval '1 s', state = 'ready' where id = $1",
        session_id,
    )
    await world.api("POST", f"/internal/sessions/{session_id}/stop")
    await world.until_state(session_id, "stopped", within=10)


async def test_a_session_that_cannot_be_finished_holds_up_no_other(idle_world: World) -> None:
    world = idle_world
    await world.start(webjs_bridge_capacity=0)
    world.chat.refused = {"Broken": 500, "Refused": 422}
    for name in ("Broken", "Refused"):
        await world.api("POST", "/internal/sessions", json={"name": name, "options": {}})
    session_id = await world.create()
    await world.rows("update web_sessions set made = false, finishing_until = null")

    async def made() -> bool:
        rows = await world.rows("select made from web_sessions where id = $1", session_id)
        return bool(rows[0]["made"])

    await until(made, 10)
    assert [row["made"] for row in await world.rows("select made from web_sessions order by id")] == [
        False,
        False,
        True,
    ]
    world.chat.refused = {}


async def test_deleted_while_being_made_leaves_no_channel(idle_world: World) -> None:
    world = idle_world
    await world.start(webjs_bridge_capacity=0)
    world.chat.makes.clear()
    creating = asyncio.create_task(world.create())
    await until(lambda: world.rows("select id from web_sessions"))
    (row,) = await world.rows("select id from web_sessions")
    await until(lambda: str(row["id"]) in world.chat.channels)
    await world.api("DELETE", f"/internal/sessions/{row['id']}")
    await asyncio.sleep(2.5)  # more than a round of finishing: nobody else deletes it meanwhile
    assert str(row["id"]) not in world.chat.deleted
    world.chat.makes.set()
    await creating
    await until_gone(world, row["id"])
    assert str(row["id"]) in world.chat.deleted


async def test_eight_restarts_at_once_are_one(idle_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world, opened, plain = idle_world, list[UUID](), Browsers.open_page

    async def counted(self: Browsers, session_id: UUID, on_fact: Any) -> Any:
        opened.append(session_id)
        return await plain(self, session_id, on_fact)

    monkeypatch.setattr(Browsers, "open_page", counted)
    await world.start()
    session_id = await world.create()
    await world.until_state(session_id, "qr")
    answers = [await world.api("POST", f"/internal/sessions/{session_id}/restart") for _ in range(4)]
    await until(lambda: len(opened) == 2, 20)  # it is being carried out
    answers += [await world.api("POST", f"/internal/sessions/{session_id}/restart") for _ in range(4)]
    assert {each.status_code for each in answers} == {202}
    assert {each.json()["id"] for each in answers} == {str(session_id)}
    await world.until_state(session_id, "qr")
    await world.api("POST", f"/internal/sessions/{session_id}/pair", json={"phone": "4915140000005"})
    await world.until_state(session_id, "pairing")  # what was asked before has been done
    assert len(opened) == 2


async def test_what_is_asked_twice_while_nobody_runs_it_waits_once_with_the_last_word(idle_world: World) -> None:
    world = idle_world
    service = await world.start(webjs_bridge_capacity=0)
    session_id = await world.create()
    for phone in ("4915140000006", "4915140000007"):
        await world.api("POST", f"/internal/sessions/{session_id}/pair", json={"phone": phone})
        await world.api("POST", f"/internal/sessions/{session_id}/restart")
    rows = await world.rows("select kind, data from web_session_requests order by kind")
    assert [(row["kind"], row["data"]) for row in rows] == [("pair", {"phone": "4915140000007"}), ("restart", {})]
    await asyncio.gather(*(world.api("POST", f"/internal/sessions/{session_id}/restart") for _ in range(5)))
    taken = await Leases(service.database, instance="here", lease=30).asked([session_id])
    assert sorted(each.kind for each in taken) == ["pair", "restart"]


async def test_a_session_asked_for_twice_under_one_key_is_one(idle_world: World) -> None:
    world = idle_world
    await world.start(webjs_bridge_capacity=0, webjs_bridge_workspace_sessions=2)

    async def ask(key: str, **body: Any) -> Any:
        return await world.api("POST", "/internal/sessions", json=body, headers={"Idempotency-Key": key})

    answers = await asyncio.gather(*(ask("first", name="Shop") for _ in range(6)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert sum("idempotency-replayed" in each.headers for each in answers) == 5
    reused = await ask("first", name="Another")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    other = (await ask("second", name="Shop")).json()["id"]
    assert other != answers[0].json()["id"]
    assert (await ask("first", name="Shop")).status_code == 201  # as many as it may have, and this one is there
    elsewhere = await world.api(
        "POST", "/internal/sessions", json={"name": "Shop"}, headers={"Idempotency-Key": "first"}, workspace_id=uuid4()
    )
    assert elsewhere.json()["id"] not in (other, answers[0].json()["id"])
    await world.api("DELETE", f"/internal/sessions/{other}")
    await until_gone(world, UUID(other))
    again = await ask("second", name="Shop")
    assert (again.status_code, again.json()["id"] == other) == (201, False)
