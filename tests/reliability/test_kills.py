"""Each part killed (-9) under load: 500 sends and 500 webhooks, nothing lost, nothing sent twice."""

import asyncio

import pytest

from .conftest import Breakable

SENDS, WRITES = 500, 500


async def _kill_in_the_middle(breakable: Breakable, name: str, after: float) -> None:
    await asyncio.sleep(after)
    breakable.kill(name)


@pytest.mark.parametrize("name", ["gateway", "chat", "campaign", "notifier", "rabbitmq", "postgres"])
async def test_nothing_is_lost_or_sent_twice_when_it_dies(breakable: Breakable, name: str) -> None:
    load = breakable.load()
    await breakable.run(load, SENDS, WRITES, meanwhile=_kill_in_the_middle(breakable, name, after=1.0))
    states = await breakable.verify(load)
    assert sum(states.values()) == SENDS
    assert states["read"] == SENDS, states
