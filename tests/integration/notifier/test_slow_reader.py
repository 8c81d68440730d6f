"""A reader that does not read is cut off, and nobody else feels it."""

import json
import time
from uuid import uuid4

from blazz_contracts.events import SocketTriggered
from blazz_notifier import metrics


async def test_a_slow_reader_is_cut_off_and_the_rest_get_everything_in_time(notifier, publisher, get_stuck):
    instance = await notifier(notifier_write_buffer=100_000)
    workspace = uuid4()
    channel = f"private-workspace.{workspace}"
    readers = [await instance.connect() for _ in range(5)]
    for reader in readers:
        await reader.subscribe(channel)
    await get_stuck(instance.ws_port, channel)
    assert len(instance.service.registry.sockets) == 6
    cut = metrics.slow_readers_cut._value.get()
    slowest = 0.0
    number = 0
    # The kernel buffers some megabytes for the stuck one first.
    while len(instance.service.registry.sockets) == 6:
        number += 1
        assert number < 5000
        sent = time.perf_counter()
        await publisher.publish(
            SocketTriggered(workspace_id=workspace, channels=[channel], event="big", data=json.dumps("x" * 9_000))
        )
        for reader in readers:
            await reader.next("big", count=number)
        slowest = max(slowest, time.perf_counter() - sent)
    assert metrics.slow_readers_cut._value.get() == cut + 1
    assert slowest < 1.0
    for reader in readers:
        await reader.ping()
