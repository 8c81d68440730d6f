"""What WhatsApp and people do to a session shows in its state, with its cause; it lives on where it can."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from blazz_chassis.seal import Sealer

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until

CUSTOMER = "4915177700002"


async def device_of(world: World, phone: str) -> dict[str, object]:
    """The device that is linked to a phone."""
    devices = (await world.simulator.get("/_sim/web/devices")).json()["devices"]
    return dict(next(each for each in devices if each["phone"] == phone))


async def test_a_pairing_code_is_shown_and_links_the_phone_it_is_typed_into(world: World) -> None:
    session_id, phone = await world.create(), "4915130000001"
    await world.until_state(session_id, "qr")
    answer = await world.api("POST", f"/internal/sessions/{session_id}/pair", json={"phone": f"+{phone}"})
    assert answer.status_code == 202
    shown = await world.until_state(session_id, "pairing")
    assert shown["pairing_code"]

    async def ends() -> bool:
        shown.update(await world.session(session_id))
        return shown["pairing_code_expires_at"] is not None

    await until(ends, 10)
    left = datetime.fromisoformat(shown["pairing_code_expires_at"]) - datetime.now(UTC)
    assert 180 < left.total_seconds() < 196
    answer = await world.simulator.post("/_sim/web/pair", json={"code": shown["pairing_code"], "phone": phone})
    assert answer.status_code == 200, answer.text
    assert (await world.until_state(session_id, "ready"))["phone"] == f"+{phone}"
    again = await world.api("POST", f"/internal/sessions/{session_id}/pair", json={"phone": f"+{phone}"})
    assert (again.status_code, again.json()["code"]) == (409, "already_linked")


async def test_a_code_says_until_when_it_works_and_the_next_one_takes_its_place(world: World) -> None:
    short = {"first_code_seconds": 6, "code_seconds": 4}
    await world.simulator.put("/_sim/web/settings", json=short)
    session_id = await world.create()
    await world.until_state(session_id, "qr")
    seen: dict[int, float] = {}

    async def two_codes() -> bool:
        code = (await world.api("GET", f"/internal/sessions/{session_id}/qr")).json()
        lives = datetime.fromisoformat(code["expires_at"]) - datetime.fromisoformat(code["made_at"])
        seen[code["revision"]] = round(lives.total_seconds(), 3)
        return len(seen) == 2

    await until(two_codes, 20)
    await world.simulator.put("/_sim/web/settings", json={})
    assert list(seen.values()) == [6, 4]


async def test_a_code_is_not_handed_out_once_it_is_too_old(idle_world: World) -> None:
    world = idle_world
    await world.start(webjs_bridge_capacity=0)
    session_id = await world.create()
    codes = "sealed_qr = $2, sealed_pairing_code = $2"
    sealed = Sealer(world.settings["seal_key"].get_secret_value()).seal(b"the code")
    for state, old, until_ in (("qr", 299, -200), ("qr", 301, 10), ("pairing", 10, 5), ("pairing", 200, -5)):
        await world.rows(
            f"update web_sessions set state = $3, {codes}, qr_at = now() - make_interval(secs => $4), "
            "qr_until = now() + make_interval(secs => $5), pairing_code_until = now() + make_interval(secs => $5) "
            "where id = $1",
            session_id, sealed, state, old, until_,
        )  # fmt: skip
        qr = await world.api("GET", f"/internal/sessions/{session_id}/qr")
        assert qr.status_code == (200 if (state, old) == ("qr", 299) else 409)
        shown = (await world.session(session_id))["pairing_code"]
        assert shown == ("the code" if (state, until_) == ("pairing", 5) else None)


async def test_a_phone_that_logs_the_session_out_leaves_it_to_be_linked_anew(world: World) -> None:
    session_id = await world.linked("4915130000002")
    await world.fault(kind="logout", phone="4915130000002")
    told = await world.until_state(session_id, "auth_failed")
    assert "start the session" in told["cause"]
    answer = await world.api("POST", f"/internal/sessions/{session_id}/start")
    assert answer.status_code == 200
    await world.scan(session_id, "4915130000003")
    assert (await world.until_state(session_id, "ready"))["phone"] == "+4915130000003"


async def test_a_person_who_logs_out_leaves_no_device_behind(world: World) -> None:
    session_id = await world.linked("4915130000004")
    await world.api("POST", f"/internal/sessions/{session_id}/logout")
    assert (await world.until_state(session_id, "stopped"))["cause"] == "logged out by a person"
    assert (await device_of(world, "4915130000004"))["state"] == "logged_out"


async def test_a_stopped_session_stays_linked_and_starts_without_a_scan(world: World) -> None:
    session_id = await world.linked("4915130000005")
    await world.api("POST", f"/internal/sessions/{session_id}/stop")
    await world.until_state(session_id, "stopped")
    asked = await world.api("POST", f"/internal/sessions/{session_id}/restart")
    assert (asked.status_code, asked.json()["code"]) == (409, "session_not_running")
    await world.api("POST", f"/internal/sessions/{session_id}/start")
    await world.until_state(session_id, "ready")


async def test_another_tab_that_takes_the_session_is_told_and_a_restart_takes_it_back(world: World) -> None:
    session_id = await world.linked("4915130000006")
    await world.fault(kind="conflict", phone="4915130000006")
    assert "elsewhere" in (await world.until_state(session_id, "conflict"))["cause"]
    await world.api("POST", f"/internal/sessions/{session_id}/restart")
    await world.until_state(session_id, "ready")


async def test_a_session_that_may_takes_itself_back_from_another_tab(world: World) -> None:
    session_id = await world.linked("4915130000007", take_over=True)
    before = (await world.session(session_id))["revision"]
    await world.fault(kind="conflict", phone="4915130000007")

    async def back() -> bool:
        now = await world.session(session_id)
        return now["state"] == "ready" and now["revision"] > before

    await until(back, 20)


async def test_offline_what_has_not_left_is_given_back_and_nothing_is_told_as_sent(world: World) -> None:
    phone = "4915130000008"
    session_id = await world.linked(phone)
    await world.fault(kind="offline", phone=phone)
    await world.until_state(session_id, "offline")
    command = world.chat.command(world.workspace_id, session_id, CUSTOMER, "Too soon")
    await world.chat.publisher.publish(command)
    await world.chat.until_told(command, "returned")
    assert world.chat.told(command) == ["returned"]
    await world.simulator.delete("/_sim/web/faults")
    await world.until_state(session_id, "ready")
    await world.chat.publisher.publish(command)
    await world.chat.until_told(command, "sent", "delivered", "read")
    assert [entry["body"] for entry in await world.ledger()].count({"body": "Too soon"}) == 1


async def test_a_message_that_came_too_late_fails_as_expired(world: World) -> None:
    session_id = await world.linked("4915130000009")
    gone = datetime.now(UTC) - timedelta(seconds=1)
    command = world.chat.command(world.workspace_id, session_id, CUSTOMER, "Yesterday's news", expires_at=gone)
    await world.chat.publisher.publish(command)
    await world.chat.until_told(command, "failed")
    assert world.chat.statuses[f"{command.message_id}:1"][0]["errors"][0]["code"] == "expired"


@pytest.mark.parametrize("fault", [{"kind": "freeze", "seconds": 60}, {"kind": "deprecate"}, {"kind": "crash"}])
async def test_a_page_that_fails_is_opened_anew_and_ready_again(world: World, fault: dict[str, object]) -> None:
    phone = f"491513000{uuid4().int % 10000:04d}"
    session_id = await world.linked(phone)
    await world.fault(**fault, phone=phone)
    shown = await world.until_state(session_id, "offline", "starting", within=40)
    assert "anew" in shown["cause"] or "newer" in shown["cause"]
    await world.simulator.delete("/_sim/web/faults")
    await world.until_state(session_id, "ready", within=40)
    command = world.chat.command(world.workspace_id, session_id, CUSTOMER, f"After {fault['kind']}")
    async with world.chat.handing_over([command]):
        await world.chat.until_told(command, "sent", "delivered", "read", within=30)


async def test_broken_storage_costs_the_link_and_shows_a_new_code(world: World) -> None:
    session_id = await world.linked("4915130000010")
    await world.fault(kind="storage_error", phone="4915130000010")
    await world.simulator.delete("/_sim/web/faults")
    await world.scan(session_id, "4915130000010")
    await world.until_state(session_id, "ready")


async def test_a_session_that_nobody_links_is_stopped(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_qr_patience=1)
    session_id = await idle_world.create()
    shown = await idle_world.until_state(session_id, "stopped")
    assert "nobody linked" in shown["cause"]


async def test_a_browser_that_holds_too_much_memory_is_opened_anew_when_it_is_idle(idle_world: World) -> None:
    service = await idle_world.start()
    session_id = await idle_world.linked("4915130000011")
    await idle_world.stop(service)
    await idle_world.start(webjs_bridge_session_memory=1_000_000)
    seen: list[str] = []

    async def recycled() -> bool:
        cause = (await idle_world.session(session_id))["cause"]
        seen.append(cause or "")
        return "memory" in seen[-1]

    await until(recycled, 30)
    assert (await idle_world.session(session_id))["restarts"] == 0


async def test_one_instance_takes_no_more_sessions_than_it_has_room_for(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_capacity=1)
    first, second = await idle_world.create(), await idle_world.create()
    states: dict[UUID, str] = {}

    async def one_open() -> bool:
        for each in (first, second):
            states[each] = (await idle_world.session(each))["state"]
        return sorted(states.values()) == ["qr", "starting"]

    await until(one_open, 30)
    waiting = next(each for each, state in states.items() if state == "starting")
    assert "room" in (await idle_world.session(waiting))["cause"]
    await idle_world.start(webjs_bridge_capacity=1)
    await idle_world.until_state(waiting, "qr")


async def test_a_session_is_owned_by_one_instance_at_a_time(idle_world: World) -> None:
    for n in range(3):
        await idle_world.start(instance=f"bridge-{n}", webjs_bridge_capacity=3)
    made = [await idle_world.create() for _ in range(4)]
    for each in made:
        await idle_world.until_state(each, "qr")
    waiting = (await idle_world.simulator.get("/_sim/web/devices")).json()["devices"]
    fences = await idle_world.rows("select fence from web_sessions")
    assert [row["fence"] for row in fences] == [1, 1, 1, 1]
    assert sum(each["state"] == "waiting" for each in waiting) >= 4
