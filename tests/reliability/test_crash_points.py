"""Killed at each point where work changes hands, nothing is lost and nothing is sent twice."""

import pytest

from .conftest import Breakable

SENDS = 60


@pytest.mark.parametrize(
    ("service", "point", "nth"),
    [
        ("chat", "intake.committed", 2),
        ("chat", "dispatch.claimed", 2),
        ("chat", "dispatch.answered", 20),
        ("chat", "results.committed", 2),
        ("chat", "statuses.committed", 2),
        ("chat", "inbound.committed", 2),
        ("chat", "outbox.after_publish", 2),
        ("gateway", "gateway.after_reserve", 20),
        ("gateway", "gateway.after_publish", 20),
        ("gateway", "gateway.before_webhook_publish", 5),
        ("gateway", "gateway.after_webhook_publish", 5),
    ],
)
async def test_nothing_is_lost_or_doubled_when_killed_at(
    breakable: Breakable, service: str, point: str, nth: int
) -> None:
    load = breakable.load()
    breakable.crash_at(service, point, nth)
    await breakable.run(load, sends=SENDS, writes=SENDS, meanwhile=breakable.crashed(service))
    states = await breakable.verify(load)
    assert states["read"] == SENDS


async def test_a_send_whose_only_evidence_is_a_webhook_is_not_repeated(breakable: Breakable) -> None:
    # Statuses come late enough to find the gateway dead.
    await breakable.simulator.put("/_sim/statuses", json={"delays": {"sent": 1.0, "delivered": 1.2, "read": 1.4}})
    try:
        load = breakable.load()
        breakable.crash_at("chat", "dispatch.answered")
        await breakable.send(load, 0)
        await breakable.crashed("chat")
        breakable.kill("gateway")
        states = await breakable.verify(load)
        assert states["read"] == 1
        attempts = await breakable.rows(
            "chat", "select outcome from attempts where message_id = any($1::uuid[])", list(load.messages)
        )
        assert [row["outcome"] for row in attempts] == ["sent"]
    finally:
        await breakable.simulator.put("/_sim/statuses", json={"delays": {}})
