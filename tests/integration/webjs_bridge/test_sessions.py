"""A session is linked, sends, receives, and comes back; in a real browser."""

from uuid import uuid4

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until

PHONE, CUSTOMER = "4915100000001", "4915177700001"


async def test_a_phone_that_scans_the_code_makes_the_session_ready_and_messages_go_both_ways(world: World) -> None:
    session_id = await world.create()
    shown = await world.until_state(session_id, "qr")
    assert "scan" in shown["cause"]
    code = (await world.api("GET", f"/internal/sessions/{session_id}/qr")).json()
    assert code["image"].startswith("data:image/png;base64,")
    picture = await world.api("GET", f"/internal/sessions/{session_id}/qr", headers={"Accept": "image/png"})
    assert picture.content.startswith(b"\x89PNG")
    await world.scan(session_id, PHONE)
    ready = await world.until_state(session_id, "ready")
    assert ready["phone"] == f"+{PHONE}"
    assert (await world.api("GET", f"/internal/sessions/{session_id}/qr")).status_code == 409

    command = world.chat.command(world.workspace_id, session_id, CUSTOMER, "Hello from the web")
    await world.chat.publisher.publish(command)
    await world.chat.until_told(command, "read")
    (entry,) = [each for each in await world.ledger() if each["body"] == {"body": "Hello from the web"}]
    assert entry["wamid"] == world.chat.statuses[f"{command.message_id}:1"][0]["provider_message_id"]

    await world.customer(CUSTOMER, text="Hi back", to=PHONE)
    heard = await world.chat.until_written("Hi back")
    assert (heard["phone"], heard["echo"], heard["type"]) == (CUSTOMER, False, "text")
    assert heard["lid"]


async def test_a_linked_session_is_ready_again_without_a_scan_and_misses_nothing(world: World) -> None:
    session_id = await world.linked("4915100000002")
    await world.stop(next(iter(world.running)))
    await world.customer(CUSTOMER, text="Are you there?", to="4915100000002")
    await world.start()

    await world.until_state(session_id, "ready")
    await world.chat.until_written("Are you there?")


async def test_a_number_that_is_not_on_whatsapp_fails_and_the_session_lives_on(world: World) -> None:
    session_id = await world.linked("4915100000003")
    lost = world.chat.command(world.workspace_id, session_id, "99900000001", "Nobody home")
    good = world.chat.command(world.workspace_id, session_id, CUSTOMER, "Somebody home")
    await world.chat.publisher.publish_many([lost, good])
    await world.chat.until_told(lost, "failed")
    await world.chat.until_told(good, "sent", "delivered", "read")
    (item,) = world.chat.statuses[f"{lost.message_id}:1"]
    assert item["errors"][0]["code"] == "not_on_whatsapp"


async def test_a_session_of_another_workspace_is_never_reached(world: World) -> None:
    session_id = await world.create()
    foreign = uuid4()
    for method, path in [
        ("GET", ""),
        ("GET", "/qr"),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/start"),
        ("POST", "/stop"),
        ("POST", "/restart"),
        ("POST", "/logout"),
    ]:
        body = {"json": {"options": {}}} if method == "PATCH" else {}
        answer = await world.api(method, f"/internal/sessions/{session_id}{path}", workspace_id=foreign, **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found"), path
    assert (await world.api("GET", "/internal/sessions", workspace_id=foreign)).json()["items"] == []


async def test_a_deleted_session_leaves_no_device_no_profile_and_no_channel(world: World) -> None:
    session_id = await world.linked("4915100000004")
    assert (await world.api("DELETE", f"/internal/sessions/{session_id}")).status_code == 202

    async def gone() -> bool:
        return (await world.api("GET", f"/internal/sessions/{session_id}")).status_code == 404

    await until(gone, 20)
    assert str(session_id) in world.chat.deleted
    assert not (world.settings["webjs_bridge_profiles"] / str(session_id)).exists()
    devices = (await world.simulator.get("/_sim/web/devices")).json()["devices"]
    assert [each["state"] for each in devices if each["phone"] == "4915100000004"] == ["logged_out"]
