"""What people wish of a session while others are at it: what was wished last holds."""

import asyncio

from blazz_chassis.seal import Sealer
from blazz_contracts.session import SessionState
from blazz_webjs_bridge import session as sessions
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
    standings = Standings(service.database, service.outbox, Sealer(SEAL_KEY))
    over = Standing(SessionState.STOPPED, "logged out by a person")
    assert await standings.stand(sessions.of(row), over, stops=True) is not None
    await world.rows("update web_sessions set owner = null where id = $1", session_id)

    async def gone() -> bool:
        return (await world.api("GET", f"/internal/sessions/{session_id}")).status_code == 404

    await until(gone, 10)
