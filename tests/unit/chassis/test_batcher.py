"""The batcher: order, isolation of one bad item, limits, an end that loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from blazz_chassis.batcher import Batcher
from blazz_chassis.errors import DatabaseUnavailable, DependencyDown, Unavailable
from blazz_chassis.gate import Gate
from hypothesis import given, settings
from hypothesis import strategies as st


async def test_each_caller_gets_the_result_of_its_item() -> None:
    async def flush(items: list[int]) -> list[int]:
        return [item * 2 for item in items]

    batcher: Batcher[int, int] = Batcher(flush, name="t", max_items=3)
    assert await asyncio.gather(*(batcher.submit(n) for n in range(10))) == [n * 2 for n in range(10)]
    await batcher.close()


async def test_items_keep_the_order_of_submit_and_flushes_never_overlap() -> None:
    flushed: list[int] = []
    running = 0

    async def flush(items: list[int]) -> list[None]:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        flushed.extend(items)
        running -= 1
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_items=7)
    await asyncio.gather(*(batcher.submit(n) for n in range(100)))
    await batcher.close()
    assert flushed == list(range(100))


async def test_a_full_batch_does_not_wait_and_a_lone_item_waits_no_longer_than_said() -> None:
    sizes: list[int] = []

    async def flush(items: list[int]) -> list[None]:
        sizes.append(len(items))
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_items=5, max_wait=60)
    async with asyncio.timeout(5):
        await asyncio.gather(*(batcher.submit(n) for n in range(5)))
    quick: Batcher[int, None] = Batcher(flush, name="t", max_items=5, max_wait=0.01)
    async with asyncio.timeout(5):
        await quick.submit(1)
    assert sizes == [5, 1]
    await batcher.close()
    await quick.close()


@settings(max_examples=30, deadline=None)
@given(bad=st.sets(st.integers(0, 19)), size=st.integers(1, 20))
def test_poison_items_fail_alone_wherever_they_are(bad: set[int], size: int) -> None:
    stored: list[int] = []

    async def flush(items: list[int]) -> list[int]:
        if set(items) & bad:
            raise ValueError("constraint")
        stored.extend(items)
        return items

    async def run() -> list[int | BaseException]:
        batcher: Batcher[int, int] = Batcher(flush, name="t", max_items=size)
        results = await asyncio.gather(*(batcher.submit(n) for n in range(20)), return_exceptions=True)
        await batcher.close()
        return results

    results = asyncio.run(run())
    assert {n for n, result in enumerate(results) if isinstance(result, ValueError)} == bad
    assert stored == [n for n in range(20) if n not in bad]


async def test_a_dependency_that_is_down_fails_the_batch_without_a_search() -> None:
    flushes = 0

    async def flush(items: list[int]) -> list[None]:
        nonlocal flushes
        flushes += 1
        raise DatabaseUnavailable

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_items=50)
    results = await asyncio.gather(*(batcher.submit(n) for n in range(50)), return_exceptions=True)
    assert all(isinstance(result, DatabaseUnavailable) for result in results)
    assert flushes == 1
    await batcher.close()


def held_at_a_gate(batcher: Batcher[int, None]) -> Callable[[int], Awaitable[None]]:
    """Returns what handles a number as a subscription does."""

    async def nothing() -> None:
        pass

    gate = Gate("t", hold=60, retreat=nothing, resume=nothing)

    async def handle(number: int) -> None:
        while await gate.passed():
            try:
                await batcher.submit(number)
            except DependencyDown as error:
                gate.shut(error)
            else:
                return

    return handle


async def test_what_stands_behind_a_batch_that_met_a_dependency_down_does_not_overtake_it() -> None:
    stored: list[int] = []
    handling: list[asyncio.Task[None]] = []

    async def flush(items: list[int]) -> list[None]:
        await asyncio.sleep(0)
        if len(handling) < 470:
            # Delivered at this very moment: the gate is open still.
            handling.extend(asyncio.create_task(handle(n)) for n in range(450, 470))
            raise DatabaseUnavailable
        stored.extend(items)
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_items=200)
    handle = held_at_a_gate(batcher)
    handling.extend(asyncio.create_task(handle(n)) for n in range(450))
    async with asyncio.timeout(10):
        await asyncio.gather(*handling)
        await asyncio.gather(*handling)
    await batcher.close()
    assert stored == list(range(470))


async def test_the_second_half_does_not_overtake_a_first_half_that_met_a_dependency_down() -> None:
    flushes = 0
    stored: list[int] = []

    async def flush(items: list[int]) -> list[None]:
        nonlocal flushes
        flushes += 1
        if flushes in (1, 2):
            raise ValueError if flushes == 1 else DatabaseUnavailable
        stored.extend(items)
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_items=8)
    handle = held_at_a_gate(batcher)
    async with asyncio.timeout(10):
        await asyncio.gather(*(handle(n) for n in range(8)))
    await batcher.close()
    assert stored == list(range(8))


async def test_an_exception_among_the_results_is_for_one_caller() -> None:
    async def flush(items: list[int]) -> list[int | Exception]:
        return [KeyError(item) if item == 3 else item for item in items]

    batcher: Batcher[int, int] = Batcher(flush, name="t")
    results = await asyncio.gather(*(batcher.submit(n) for n in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [int, int, int, KeyError, int]
    await batcher.close()


async def test_too_few_results_fail_loudly() -> None:
    async def flush(items: list[int]) -> list[int]:
        return []

    batcher: Batcher[int, int] = Batcher(flush, name="t")
    with pytest.raises(RuntimeError, match="0 results for 1 items"):
        await batcher.submit(1)
    await batcher.close()


async def test_weight_bounds_a_batch() -> None:
    weights: list[int] = []

    async def flush(items: list[int]) -> list[None]:
        weights.append(sum(items))
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_items=10, weigh=lambda item: item)
    await asyncio.gather(*(batcher.submit(n) for n in (4, 4, 4, 25, 9, 1)))
    await batcher.close()
    assert weights == [8, 4, 25, 10]


async def test_a_caller_that_gives_up_does_not_stop_the_flush() -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    flushed: list[int] = []

    async def flush(items: list[int]) -> list[None]:
        begun.set()
        await go.wait()
        flushed.extend(items)
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t")
    caller = asyncio.create_task(batcher.submit(1))
    await begun.wait()
    caller.cancel()
    go.set()
    await batcher.flush()
    await batcher.close()
    assert flushed == [1]


async def test_close_flushes_what_is_in_line_and_refuses_more() -> None:
    flushed: list[int] = []

    async def flush(items: list[int]) -> list[None]:
        flushed.extend(items)
        return [None] * len(items)

    batcher: Batcher[int, None] = Batcher(flush, name="t", max_wait=60)
    callers = [asyncio.create_task(batcher.submit(n)) for n in range(3)]
    await asyncio.sleep(0)
    await batcher.close()
    await asyncio.gather(*callers)
    assert flushed == [0, 1, 2]
    with pytest.raises(Unavailable):
        await batcher.submit(9)
