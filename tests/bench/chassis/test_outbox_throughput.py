"""How fast what is committed is told: rows written, published with confirms and deleted, a second.

`pytest tests/bench/chassis -s`
"""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from blazz_chassis.outbox import Outbox

from tests.integration.chassis.conftest import Broker, Ordered, broker, database, migrated  # noqa: F401 - fixtures


@pytest.mark.parametrize(
    ("writers", "transactions", "events", "size"),
    [(20, 200, 1, 100), (4, 100, 100, 100), (4, 100, 1, 100_000)],
    ids=["one event a transaction", "a hundred events a transaction", "one large event a transaction"],
)
async def test_what_is_committed_is_told(
    broker: Broker,  # noqa: F811
    database: Any,  # noqa: F811
    writers: int,
    transactions: int,
    events: int,
    size: int,
) -> None:
    workspace_id = uuid4()
    async with broker.publisher() as publisher:
        outbox = Outbox(database, publisher, service="chassis")

        async def write() -> None:
            for n in range(transactions):
                told = [Ordered(workspace_id=workspace_id, number=n, text="x" * size) for _ in range(events)]
                async with database.worker() as connection:
                    receipt = await outbox.add(connection, told)
                outbox.send_soon(receipt)

        began, busy = time.perf_counter(), time.process_time()
        await asyncio.gather(*(write() for _ in range(writers)))
        written = time.perf_counter() - began
        await outbox.flush()
        took, busy = time.perf_counter() - began, time.process_time() - busy
    count = writers * transactions * events
    async with database.worker() as connection:
        left = await connection.fetchval("select count(*) from outbox")
    print(
        f"\n{count} events: {count / took:,.0f}/s, {busy / count * 1e6:,.0f} µs CPU an event, "
        f"written after {written:.2f} s, all told after {took:.2f} s, left to the relay {left}"
    )
    assert left < count
