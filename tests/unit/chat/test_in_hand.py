"""Who must not overtake others waits until these are through, and learns what became of them."""

import asyncio

import pytest
from blazz_chat.in_hand import InHand


async def test_what_is_in_hand_is_waited_for_and_what_comes_later_is_not() -> None:
    in_hand, first, later = InHand(), asyncio.Event(), asyncio.Event()

    async def hold(until: asyncio.Event) -> None:
        with in_hand.holding():
            await until.wait()

    held = asyncio.create_task(hold(first))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(in_hand.through())
    await asyncio.sleep(0)
    behind = asyncio.create_task(hold(later))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.set()
    assert await waiting == []
    later.set()
    await asyncio.gather(held, behind)


async def test_an_error_is_told_to_who_waited_and_to_nobody_after() -> None:
    in_hand, go = InHand(), asyncio.Event()

    async def fail() -> None:
        with in_hand.holding():
            await go.wait()
            raise ValueError("no")

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(in_hand.through())
    await asyncio.sleep(0)
    go.set()
    (error,) = await waiting
    assert str(error) == "no"
    with pytest.raises(ValueError, match="no"):
        await failing
    assert await in_hand.through() == []
