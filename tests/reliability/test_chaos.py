"""Anything may die at any moment: a seeded random run. `make chaos` runs it long, `SEED=n` repeats one."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.polling import until

from .conftest import SETTLED, Breakable

SEED = int(os.environ.get("BLAZZ_CHAOS_SEED", "20261122"))
SECONDS = float(os.environ.get("BLAZZ_CHAOS_SECONDS", "20"))
SENDS_A_SECOND = 15
VICTIMS = ("gateway", "chat", "campaign", "notifier", "rabbitmq", "postgres")
POINTS = (
    "intake.committed",
    "dispatch.claimed",
    "dispatch.answered",
    "results.committed",
    "statuses.committed",
    "inbound.committed",
    "outbox.after_publish",
)


async def test_chaos_loses_nothing_and_sends_nothing_twice(breakable: Breakable) -> None:
    dice = random.Random(SEED)
    print(f"\nchaos: seed {SEED}, {SECONDS:.0f} s")
    load = breakable.load()
    campaign_id = await _start_campaign(breakable, f"{load.prefix}7", 500)
    sends = int(SECONDS * SENDS_A_SECOND)
    await breakable.run(load, sends, sends, meanwhile=_break(breakable, dice))
    # The campaign's messages are part of the same books.
    rows: list[Any] = []

    async def finished() -> bool:
        nonlocal rows
        rows = await breakable.rows(
            "campaign", "select message_id, phone, state from recipients where campaign_id = $1", campaign_id
        )
        return len(rows) == 500 and all(row["state"] in ("read", "failed") for row in rows)

    await until(_patient(finished), SETTLED, every=0.1, what="the campaign's end")
    load.messages |= {str(row["message_id"]): row["phone"] for row in rows}
    states = await breakable.verify(load)
    assert states["read"] == sends + 500, states
    view = (await breakable.api.get(f"/api/v1/campaigns/{campaign_id}")).json()
    assert (view["state"], view["counts"]["read"]) == ("completed", 500), view


def _patient(condition: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """The database may be away when it is asked."""

    async def asked() -> bool:
        try:
            return await condition()
        except Exception:
            return False

    return asked


async def _break(breakable: Breakable, dice: random.Random) -> None:
    """Kill something every two to four seconds: at random, or at a random point of chat."""
    end = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(dice.uniform(2, 4))
        if dice.random() < 0.4:
            point = dice.choice(POINTS)
            print(f"chaos: chat dies at {point}")
            breakable.crash_at("chat", point, dice.randint(1, 5))
        else:
            victim = dice.choice(VICTIMS)
            print(f"chaos: {victim} is killed")
            breakable.kill(victim)


async def _start_campaign(breakable: Breakable, prefix: str, recipients: int) -> str:
    people = [{"phone": f"+{prefix}{n:03d}"} for n in range(recipients)]
    body = {
        "name": f"Chaos {prefix}",
        "channel_id": breakable.demo["channel_id"],
        "recipients": people,
        "text": {"body": "Hello"},
    }
    answer = await breakable.api.post("/api/v1/campaigns", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])
