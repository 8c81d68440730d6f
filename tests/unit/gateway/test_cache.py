"""What was looked up is believed for a moment, and no longer."""

import asyncio

import pytest
from blazz_gateway.cache import Cache


class Source:
    def __init__(self, value: int | None = 1) -> None:
        self.value, self.asked = value, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, _: str) -> int | None:
        self.asked += 1
        value = self.value
        await self.gate.wait()
        return value


async def test_a_value_is_looked_up_once() -> None:
    source = Source()
    cache = Cache(source.load, seconds=60)
    assert [await cache.get("a") for _ in range(3)] == [1, 1, 1]
    assert source.asked == 1


async def test_many_at_once_wait_for_one_look_up() -> None:
    source = Source()
    source.gate.clear()
    cache = Cache(source.load, seconds=60)
    waiting = [asyncio.create_task(cache.get("a")) for _ in range(10)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*waiting) == [1] * 10
    assert source.asked == 1


async def test_the_first_caller_may_go_away_and_the_others_still_get_it() -> None:
    source = Source()
    source.gate.clear()
    cache = Cache(source.load, seconds=60)
    first, second = (asyncio.create_task(cache.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.gate.set()
    assert await second == 1


async def test_a_look_up_that_began_before_a_change_is_not_believed_after_it() -> None:
    source = Source(1)
    source.gate.clear()
    cache = Cache(source.load, seconds=60)
    old = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.value = 2
    cache.clear()
    source.gate.set()
    await old
    assert await cache.get("a") == 2


async def test_what_is_unknown_is_asked_for_again() -> None:
    source = Source(None)
    cache = Cache(source.load, seconds=60)
    assert await cache.get("a") is None
    source.value = 3
    assert await cache.get("a") == 3


async def test_what_was_known_last_stays_for_when_the_source_is_away() -> None:
    cache = Cache(Source(5).load, seconds=60)
    await cache.get("a")
    cache.clear()
    assert cache.stale("a") == 5
