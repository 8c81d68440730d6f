"""How many sends a second the simulator takes on one core, statuses and their webhooks included."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import psutil
import pytest

from .load import send

SENDS = 30_000
SECONDS_MAX = SENDS / 5_000
"""The promise: at least 5,000 accepted sends for each second of one core."""


@pytest.fixture
def receiver() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, Path(__file__).with_name("receive.py")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process, process.stdout:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


@pytest.fixture
def simulator(receiver: str) -> Iterator[tuple[psutil.Process, int]]:
    environment = {
        **os.environ,
        "BLAZZ_SIM_PORT": "0",
        "BLAZZ_SIM_LOG_JSON": "true",
        "BLAZZ_SIM_CALLBACK_URL": f"{receiver}/hook",
    }
    process = subprocess.Popen([sys.executable, "-m", "blazz_simulator"], env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    with process, process.stderr:
        url = orjson.loads(process.stderr.readline())["url"]
        yield psutil.Process(process.pid), int(url.rpartition(":")[2])
        process.terminate()
        process.stderr.read()


def test_one_core_takes_5000_sends_a_second_with_their_webhooks(
    simulator: tuple[psutil.Process, int], receiver: str, record_property: Callable[[str, object], None]
) -> None:
    process, port = simulator
    # Warm: imports done, connections to the receiver open.
    send("127.0.0.1", port, "100000000000001", "sim-access-token", 500)
    before, started = process.cpu_times(), time.monotonic()
    send("127.0.0.1", port, "100000000000001", "sim-access-token", SENDS)
    elapsed = time.monotonic() - started
    expected = 3 * (SENDS + 500)
    deadline = time.monotonic() + 20
    while int(urllib.request.urlopen(f"{receiver}/count").read()) < expected:
        assert time.monotonic() < deadline, "statuses are missing"
        time.sleep(0.02)
    after = process.cpu_times()
    cpu = (after.user - before.user) + (after.system - before.system)
    figures = {
        "sends_per_second": round(SENDS / elapsed),
        "cpu_microseconds_per_send": round(cpu / SENDS * 1e6),
        "sends_per_core_second": round(SENDS / cpu),
        "memory_megabytes": process.memory_info().rss >> 20,
    }
    for name, value in figures.items():
        record_property(name, value)
    print(figures)
    # Core seconds rather than time: the client and the receiver may need the same core.
    assert cpu <= SECONDS_MAX
