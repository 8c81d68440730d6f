"""Acks in one frame: never for what is not settled, never later than the turn of the loop."""

import asyncio
from typing import Any, cast

import pytest
from aiormq import Channel
from blazz_chassis.acks import Acks
from hypothesis import given, settings
from hypothesis import strategies as st


class Wire:
    """Stands in for a channel: notes which deliveries the broker would take as acked."""

    def __init__(self) -> None:
        self.outstanding: set[int] = set()
        self.acked: list[int] = []
        self.frames = 0

    async def basic_ack(self, delivery_tag: int, multiple: bool = False, wait: bool = True) -> None:
        self.frames += 1
        tags = {tag for tag in self.outstanding if tag <= delivery_tag} if multiple else {delivery_tag}
        assert delivery_tag in self.outstanding
        self.acked.extend(sorted(tags))
        self.outstanding -= tags
        await asyncio.sleep(0)

    async def basic_nack(self, delivery_tag: int, requeue: bool = True, **_: Any) -> None:
        self.outstanding.discard(delivery_tag)


def acks_on(wire: Wire, count: int, missed: set[int] = frozenset()) -> Acks:  # type: ignore[assignment]
    acks = Acks(cast("Channel", wire))
    for tag in range(1, count + 1):
        wire.outstanding.add(tag)
        if tag not in missed:
            acks.delivered(tag)
    return acks


async def test_a_batch_in_order_is_one_frame() -> None:
    wire = Wire()
    acks = acks_on(wire, 100)
    for tag in range(1, 101):
        acks.ack(tag)
    await acks.flushed()
    assert (wire.acked, wire.frames) == (list(range(1, 101)), 1)


async def test_one_that_still_runs_is_not_acked_with_its_neighbours() -> None:
    wire = Wire()
    acks = acks_on(wire, 5)
    for tag in (1, 2, 4, 5):
        acks.ack(tag)
    await acks.flushed()
    assert wire.outstanding == {3}
    acks.ack(3)
    await acks.flushed()
    assert wire.outstanding == set()


async def test_what_is_being_put_back_is_not_acked_with_those_after_it() -> None:
    class Full(Wire):
        """Its line of frames to write is full: a nack waits for room, and an ack finds some first."""

        def __init__(self) -> None:
            super().__init__()
            self.room = asyncio.Event()

        async def basic_nack(self, delivery_tag: int, requeue: bool = True, **more: Any) -> None:
            await self.room.wait()
            await super().basic_nack(delivery_tag, requeue, **more)

    wire = Full()
    acks = acks_on(wire, 6)
    back = [asyncio.create_task(acks.put_back(tag)) for tag in (1, 2, 4)]
    await asyncio.sleep(0)
    for tag in (3, 5, 6):
        acks.ack(tag)
    await acks.flushed()
    assert wire.acked == [3, 5, 6]
    wire.room.set()
    await asyncio.gather(*back)
    assert (wire.acked, wire.outstanding) == ([3, 5, 6], set())


async def test_what_could_not_be_put_back_is_not_acked_with_those_after_it() -> None:
    class Broken(Wire):
        async def basic_nack(self, delivery_tag: int, requeue: bool = True, **_: Any) -> None:
            raise ConnectionError

    wire = Broken()
    acks = acks_on(wire, 2)
    with pytest.raises(ConnectionError):
        await acks.put_back(1)
    acks.ack(2)
    await acks.flushed()
    assert (wire.acked, wire.outstanding) == ([2], {1})


async def test_a_delivery_that_reached_nobody_is_never_acked() -> None:
    wire = Wire()
    acks = acks_on(wire, 5, missed={2})
    for tag in (1, 3, 4, 5):
        acks.ack(tag)
    await acks.flushed()
    assert wire.outstanding == {2}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_order_only_the_settled_are_acked(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30))
    missed = data.draw(st.sets(st.integers(1, count)))
    order = data.draw(st.permutations([tag for tag in range(1, count + 1) if tag not in missed]))
    running = data.draw(st.sets(st.sampled_from(order))) if order else set()
    back = data.draw(st.sets(st.sampled_from(order))) - running if order else set()
    pauses = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))

    async def run() -> Wire:
        wire = Wire()
        acks = acks_on(wire, count, missed)
        for tag, pause in zip(order, pauses, strict=True):
            if tag in running:
                continue
            if tag in back:
                await acks.put_back(tag)
            else:
                acks.ack(tag)
            if pause:
                await asyncio.sleep(0)
        await acks.flushed()
        return wire

    wire = asyncio.run(run())
    assert wire.outstanding == missed | running
    assert set(wire.acked) == set(order) - running - back
