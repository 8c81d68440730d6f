"""What the main job costs: latency of one message, pace and price of a campaign, memory at rest.

Printed, not asserted: timings depend on the machine. The books are: each number got exactly one message.
"""

import asyncio
import re
import time
from collections import Counter
from datetime import datetime
from statistics import median, quantiles
from typing import Any

import httpx
import psutil
import pytest

SERVICES = ("gateway", "chat", "campaign", "notifier", "webjs-bridge")
SINGLE = 200
RECIPIENTS = 10_000
_METRIC = re.compile(
    r'^(blazz_sql_statements_total|blazz_broker_published_total)(?:\{type="([^"]+)"\})? ([0-9.e+]+)$', re.M
)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children so far."""
    process = psutil.Process(pid)
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def memory(pid: int) -> float:
    """Resident megabytes of a process and its children; what they share is counted once (PSS)."""
    process = psutil.Process(pid)
    return sum(each.memory_full_info().pss for each in (process, *process.children(recursive=True))) / 2**20


class Measured:
    """Counters of every process at one moment."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.sql: Counter[str] = Counter()
        self.published: Counter[str] = Counter()

    @classmethod
    async def take(cls, stack: dict[str, Any]) -> "Measured":
        """Read them all."""
        made = cls()
        made.cpu = {name: cpu_seconds(process["pid"]) for name, process in stack["processes"].items()}
        async with httpx.AsyncClient() as client:
            for name in SERVICES:
                text = (await client.get(f"{stack['processes'][name]['url']}/metrics")).text
                for metric, kind, value in _METRIC.findall(text):
                    if metric == "blazz_sql_statements_total":
                        made.sql[name] = int(float(value))
                    else:
                        made.published[f"{name}: {kind}"] = int(float(value))
        return made


@pytest.fixture
def api(stack: dict[str, Any]) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {stack['demo']['api_token']}"}
    return httpx.AsyncClient(base_url=stack["gateway_url"], headers=headers, timeout=60)


async def ledger_after(simulator: httpx.AsyncClient, after: int) -> tuple[list[dict[str, Any]], int]:
    entries: list[dict[str, Any]] = []
    while True:
        page = (await simulator.get("/_sim/ledger", params={"after": after, "limit": 10000})).json()
        if not page["entries"]:
            return entries, after
        entries += page["entries"]
        after = page["next"]


async def test_memory_at_rest(stack: dict[str, Any]) -> None:
    print("\nmemory at rest, MB (PSS)")
    for name, process in stack["processes"].items():
        print(f"  {name:14s} {memory(process['pid']):6.0f}")


async def test_latency_from_request_to_phone(stack: dict[str, Any], api: httpx.AsyncClient) -> None:
    simulator = httpx.AsyncClient(base_url=stack["simulator_url"])
    _, end = await ledger_after(simulator, 0)
    prefix = f"3199{int(time.time()) % 100000:05d}"
    asked: dict[str, float] = {}
    for n in range(SINGLE):
        body = {"to": {"phone": f"+{prefix}{n:04d}"}, "type": "text", "text": {"body": "how long?"}}
        began = time.time()
        answer = await api.post("/api/v1/messages", json=body)
        assert answer.status_code == 202, answer.text
        asked[answer.json()["id"]] = began
        await asyncio.sleep(0.02)  # one after another: latency, not throughput
    arrived: dict[str, float] = {}
    limit = time.monotonic() + 30
    while len(arrived) < SINGLE and time.monotonic() < limit:
        entries, end = await ledger_after(simulator, end)
        for entry in entries:
            message_id = str(entry["biz_opaque_callback_data"]).partition(":")[0]
            if message_id in asked:
                arrived[message_id] = _seconds(entry["at"])
    assert len(arrived) == SINGLE
    took = sorted((arrived[i] - asked[i]) * 1000 for i in asked)
    cuts = quantiles(took, n=100)
    print(f"\nrequest to phone, ms: p50 {median(took):.1f}  p99 {cuts[98]:.1f}  max {took[-1]:.1f}")
    await simulator.aclose()
    await api.aclose()


async def test_campaign_of_ten_thousand(stack: dict[str, Any], api: httpx.AsyncClient) -> None:
    simulator = httpx.AsyncClient(base_url=stack["simulator_url"])
    _, end = await ledger_after(simulator, 0)
    prefix = f"3196{int(time.time()) % 100000:05d}"
    people = [{"phone": f"+{prefix}{n:05d}"} for n in range(RECIPIENTS)]
    before = await Measured.take(stack)
    began = time.monotonic()
    answer = await api.post(
        "/api/v1/campaigns",
        json={
            "name": f"Bench {prefix}",
            "channel_id": stack["demo"]["channel_id"],
            "recipients": people,
            "text": {"body": "Hello"},
        },
    )
    assert answer.status_code == 202, answer.text
    path = f"/api/v1/campaigns/{answer.json()['id']}"
    sent = None
    while True:
        counts = (await api.get(path)).json()["counts"]
        done = counts["sent"] + counts["delivered"] + counts["read"]
        if sent is None and done == RECIPIENTS:
            sent = time.monotonic() - began
        if counts["read"] == RECIPIENTS:
            break
        assert time.monotonic() - began < 300, counts
        await asyncio.sleep(0.25)
    read = time.monotonic() - began
    after = await Measured.take(stack)
    entries, _ = await ledger_after(simulator, end)
    numbers = [entry["to"] for entry in entries if entry["to"].startswith(prefix)]
    assert (len(numbers), len(set(numbers))) == (RECIPIENTS, RECIPIENTS)
    print(
        f"\ncampaign of {RECIPIENTS}: sent in {sent:.1f} s ({RECIPIENTS / (sent or 1):.0f}/s), all read in {read:.1f} s"
    )
    print("CPU, µs a recipient")
    for name in before.cpu:
        print(f"  {name:14s} {(after.cpu[name] - before.cpu[name]) / RECIPIENTS * 1e6:7.0f}")
    print("SQL statements a recipient")
    for name in SERVICES:
        print(f"  {name:14s} {(after.sql[name] - before.sql[name]) / RECIPIENTS:7.3f}")
    print("broker messages a recipient")
    for name, count in (after.published - before.published).most_common():
        print(f"  {name:32s} {count / RECIPIENTS:7.4f}")
    await simulator.aclose()
    await api.aclose()


def _seconds(at: Any) -> float:
    return at if isinstance(at, float) else datetime.fromisoformat(at).timestamp()
