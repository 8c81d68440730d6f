"""Requests that wait for the same message, each for itself."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from blazz_gateway.waiting import Outcomes


class Queue:
    """Listens to what it is told to, and can be away."""

    def on(self, *_: Any) -> Any:
        return lambda handler: handler

    async def bind(self, key: str) -> None: ...

    async def unbind(self, key: str) -> None: ...


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes(Queue())  # type: ignore[arg-type]


def sent(message_id: Any) -> Any:
    ids = {name: uuid4() for name in ("conversation_id", "contact_id", "channel_id")}
    at = SimpleNamespace(isoformat=lambda: "2026-01-01T00:00:00+00:00")
    return SimpleNamespace(items=[SimpleNamespace(message_id=message_id, provider_message_id="w", at=at, **ids)])


async def test_who_goes_takes_nothing_from_who_waits_for_the_same_message(outcomes: Outcomes) -> None:
    workspace, message = uuid4(), uuid4()
    nothing: Any = None
    async with outcomes.watching(workspace) as one:
        one.expect(message)
        async with outcomes.watching(workspace) as two:
            two.expect(message)
            two.expect(message)
        waiting = asyncio.create_task(one.outcome(message, 10))
        await asyncio.sleep(0)
        await outcomes.on_sent(sent(message), nothing)
        known = await waiting
    assert known is not None
    assert known["status"] == "sent"


async def test_who_is_told_once_knows_it_however_often_they_ask_and_all_are_told(outcomes: Outcomes) -> None:
    workspace, message = uuid4(), uuid4()
    nothing: Any = None
    async with outcomes.watching(workspace) as one, outcomes.watching(workspace) as two:
        for watch in (one, two):
            watch.expect(message)
        await outcomes.on_sent(sent(message), nothing)
        for watch in (one, two, one):
            assert (await watch.outcome(message, 0)) is not None


async def test_nothing_is_left_of_those_who_went(outcomes: Outcomes) -> None:
    workspace, message = uuid4(), uuid4()
    for _ in range(2):
        async with outcomes.watching(workspace) as watch:
            watch.expect(message)
            assert await watch.outcome(message, 0) is None
    assert not outcomes._waiting
    assert not outcomes._listening
