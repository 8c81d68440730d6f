"""The outbox's line: its order, whatever the broker answers. Broker and database are scripts here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import pytest
from blazz_chassis import outbox_line
from blazz_chassis.database import Database
from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.ids import uuid7
from blazz_chassis.outbox_line import Line
from blazz_chassis.outgoing import Outgoing
from blazz_chassis.publisher import Publisher

from tests.support.polling import until


def timed_out() -> BrokerUnavailable:
    error = BrokerUnavailable()
    error.__cause__ = TimeoutError()
    return error


class Broker:
    """Takes what `answer` does not refuse."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.answer: Callable[[str], BaseException | None] = lambda _: None

    async def probe(self) -> None:
        """It is always there."""

    async def send_each(self, messages: Sequence[Outgoing]) -> list[BaseException | None]:
        await asyncio.sleep(0)
        results = [self.answer(message.type) for message in messages]
        self.asked.extend(message.type for message in messages)
        self.taken.extend(each.type for each, result in zip(messages, results, strict=True) if result is None)
        return results


class Rows:
    """Notes which rows are deleted."""

    def __init__(self) -> None:
        self.deleted: set[UUID] = set()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator["Rows"]:
        yield self

    async def execute(self, sql: str, ids: list[UUID], *_: Any) -> None:
        if sql == outbox_line._DELETE:
            self.deleted.update(ids)


def message(name: str) -> Outgoing:
    return Outgoing(
        exchange="",
        routing_key="",
        mandatory=False,
        type=name,
        body=b"{}",
        message_id=str(uuid7()),
        correlation_id="",
        app_id="",
    )


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def line(broker: Broker, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(outbox_line, "_LOOK", 0.001)
    monkeypatch.setattr(outbox_line, "_GRACE", 0.02)
    monkeypatch.setattr(outbox_line, "_GROUP", 2)
    return Line(cast("Database", rows), cast("Publisher", broker), service="t", lease=60)


async def test_what_a_broker_did_not_confirm_is_sent_before_what_stands_behind(
    line: Line, broker: Broker, rows: Rows
) -> None:
    frozen = True
    broker.answer = lambda _: timed_out() if frozen else None
    told = [line.join(uuid7(), (message(str(n)),)) for n in range(6)]
    # Who waits for what they tell is let go, and the line stays where it is.
    await asyncio.wait_for(asyncio.gather(*told), 5)
    assert line.standing_still
    assert set(broker.asked) == {"0", "1"}
    assert len(line) == 6
    frozen = False
    await asyncio.wait_for(until(lambda: len(line) == 0), 5)
    await line.flush()
    assert broker.taken == ["0", "1", "2", "3", "4", "5"]
    assert len(rows.deleted) == 6
    assert not line.standing_still


async def test_one_whose_queue_is_full_is_left_after_a_second_try_and_the_line_goes_on(
    line: Line, broker: Broker, rows: Rows
) -> None:
    broker.answer = lambda name: BrokerUnavailable("the queue is full") if name == "1" else None
    for n in range(5):
        line.join(uuid7(), (message(str(n)),))
    await asyncio.wait_for(line.flush(), 5)
    assert broker.taken == ["0", "2", "3", "4"]
    assert broker.asked.count("1") == 2
    assert len(rows.deleted) == 4


async def test_a_stop_gives_up_a_line_that_stands_still(line: Line, broker: Broker, rows: Rows) -> None:
    broker.answer = lambda _: timed_out()
    told = [line.join(uuid7(), (message(str(n)),)) for n in range(6)]
    await asyncio.wait_for(line.flush(), 5)
    assert all(each.done() for each in told)
    assert len(line) == 0
    assert rows.deleted == set()
    # Whoever joins afterwards begins a new one.
    broker.answer = lambda _: None
    line.join(uuid7(), (message("later"),))
    await asyncio.wait_for(line.flush(), 5)
    assert broker.taken == ["later"]


async def test_a_line_too_long_leaves_the_rest_to_the_relay(
    line: Line, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_line, "_LONGEST", 3)
    told = [line.join(uuid7(), (message(str(n)),)) for n in range(5)]
    assert [each.done() for each in told] == [False, False, False, True, True]
    await line.flush()
    assert broker.taken == ["0", "1", "2"]
