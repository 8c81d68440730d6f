"""Through a WhatsApp Web session: nothing accepted is lost and nothing is sent twice, whatever dies meanwhile."""

import asyncio
import os
import random
from contextlib import suppress

import psutil
import pytest

from tests.support.polling import until

from .conftest import SETTLED, Breakable, Load

SEED = int(os.environ.get("BLAZZ_CHAOS_SEED", "20261124"))
SENDS, WRITES = 500, 100
POINTS = ("bridge.journalled", "bridge.answered", "bridge.before_ack", "bridge.told", "outbox.after_publish")


async def linked(breakable: Breakable) -> Load:
    """A session that is ready, and a load that goes through it."""
    load = breakable.load()
    load.phone = f"4916{load.prefix[-8:]}"
    made = await breakable.api.post("/api/v1/sessions", json={"name": "Reliable"})
    assert made.status_code == 201, made.text
    load.session_id = made.json()["id"]
    await until_state(breakable, load, "qr")
    code = (await breakable.api.get(f"/api/v1/sessions/{load.session_id}/qr")).json()["code"]
    scanned = await breakable.simulator.post("/_sim/web/scan", json={"code": code, "phone": load.phone})
    assert scanned.status_code == 200, scanned.text
    await until_state(breakable, load, "ready")
    return load


async def until_state(breakable: Breakable, load: Load, state: str) -> None:
    """Wait until the session is in this state."""

    async def reached() -> bool:
        answer = await breakable.api.get(f"/api/v1/sessions/{load.session_id}")
        return answer.status_code == 200 and bool(answer.json()["state"] == state)

    await until(reached, SETTLED, what=f"a session that is {state}", every=0.1)


def kill_browser(session_id: str | None) -> None:
    """kill -9 the browser of a session, if it runs."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(session_id) in word for word in words) and not any("--type=" in word for word in words):
            with suppress(psutil.NoSuchProcess):
                process.kill()


async def break_things(breakable: Breakable, load: Load, dice: random.Random) -> None:
    """Everything on the way dies once or more, at named points and at random moments."""
    for point in POINTS:
        await asyncio.sleep(dice.uniform(1, 3))
        breakable.crash_at("webjs-bridge", point, dice.randint(1, 20))
    for victim in ("webjs-bridge", "browser", "chat", "webjs-bridge", "browser", "rabbitmq", "postgres"):
        await asyncio.sleep(dice.uniform(1, 3))
        if victim == "browser":
            kill_browser(load.session_id)
        else:
            breakable.kill(victim)


@pytest.mark.timeout(400)
async def test_killed_at_named_points_and_at_random_each_message_through_a_session_arrives_once(
    breakable: Breakable,
) -> None:
    load = await linked(breakable)
    dice = random.Random(SEED)
    await breakable.run(load, SENDS, WRITES, meanwhile=break_things(breakable, load, dice))
    states = await breakable.verify(load)
    assert states["read"] == SENDS, states
    await breakable.api.delete(f"/api/v1/sessions/{load.session_id}")
