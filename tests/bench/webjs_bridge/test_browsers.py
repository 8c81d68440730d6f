"""What WhatsApp Web sessions weigh: memory and CPU of 1, 5 and 10, idle and sending, beside Chromium without wa-js.

    .venv/bin/python -m pytest -s tests/bench/webjs_bridge

`own` is what the sessions' processes have in memory for themselves (`Private_Dirty`), `pss` counts shared code once.
The last part tries one browser for all: contexts of one Chromium, each with a page.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest
from blazz_webjs_bridge.page.chromium import Chromium, masked_agent
from blazz_webjs_bridge.page.facts import Ready
from blazz_webjs_bridge.page.launch import launch
from blazz_webjs_bridge.page.script_source import TELL, settings, source
from playwright.async_api import Page, Playwright

from tests.integration.webjs_bridge.page.conftest import PHONES, Driven, Open, Sim
from tests.support.polling import until

COUNTS = [1, 5, 10]
IDLE_SECONDS = 10
BUSY_SECONDS = 10
SENDS_A_SECOND = 20  # of each session
LINES: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def report() -> Any:
    yield
    print("\n\n" + "\n".join(LINES))


class Processes:
    """The browsers of a measurement, and who drives them."""

    def __init__(self) -> None:
        me = psutil.Process()
        below = me.children(recursive=True)
        self.browser = [p for p in below if "chromium" in " ".join(p.cmdline()[:1])]
        self.driver = [p for p in below if p not in self.browser and "playwright" in " ".join(p.cmdline())]

    def memory(self) -> tuple[float, float]:
        """MB: PSS, and what they have for themselves."""
        pss = own = 0.0
        for process in self.browser:
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                name, *value = line.split()
                pss += int(value[0]) / 1024 if name == "Pss:" else 0
                own += int(value[0]) / 1024 if name == "Private_Dirty:" else 0
        return pss, own

    def cpu(self) -> tuple[float, float, float]:
        """Seconds used: browsers, Playwright's driver, this process (the simulator lives in it, too)."""

        def used(processes: list[psutil.Process]) -> float:
            return sum(t.user + t.system for t in (process.cpu_times() for process in processes))

        return used(self.browser), used(self.driver), used([psutil.Process()])


async def spent(seconds: float, work: Callable[[], Awaitable[Any]] | None = None) -> tuple[tuple[float, ...], Any]:
    """CPU for each second of a stretch, in % of a core, and what the work gave."""
    processes = Processes()
    before, began = processes.cpu(), time.monotonic()
    given = await work() if work else await asyncio.sleep(seconds)
    took = time.monotonic() - began
    return tuple(100 * (b - a) / took for a, b in zip(before, processes.cpu(), strict=True)), given


def tell(what: str, count: int, **figures: float) -> None:
    said = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    LINES.append(f"{what:<24} {count:>2}   {said}")
    print(LINES[-1])


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.timeout(600)
async def test_sessions_with_a_browser_each(open_page: Open, count: int) -> None:
    async with AsyncExitStack() as stack:
        sessions: list[Driven] = []
        began = time.monotonic()
        for _ in range(count):
            driven = await stack.enter_async_context(open_page())
            await driven.link()
            sessions.append(driven)
        tell("opened and linked", count, seconds_each=(time.monotonic() - began) / count)
        people = [[await driven.somebody() for _ in range(10)] for driven in sessions]
        await asyncio.sleep(5)

        cpu, _ = await spent(IDLE_SECONDS)
        pss, own = Processes().memory()
        tell(
            "idle, a session", count, pss=pss / count, own=own / count, browser=cpu[0] / count,
            driver=cpu[1] / count, python=cpu[2] / count,
        )  # fmt: skip

        latencies: list[float] = []

        async def one(driven: Driven, chat: str) -> None:
            start = time.monotonic()
            await driven.send(chat, text="a message of some length, as people write it", within=60)
            latencies.append(time.monotonic() - start)

        async def stream(driven: Driven, index: int) -> None:
            start, sends = time.monotonic(), []
            for number in range(SENDS_A_SECOND * BUSY_SECONDS):
                await asyncio.sleep(max(0.0, start + number / SENDS_A_SECOND - time.monotonic()))
                sends.append(asyncio.ensure_future(one(driven, people[index][number % 10].chat)))
            await asyncio.gather(*sends)

        async def all_of_them() -> float:
            start = time.monotonic()
            await asyncio.gather(*(stream(driven, index) for index, driven in enumerate(sessions)))
            return time.monotonic() - start

        cpu, took = await spent(BUSY_SECONDS, all_of_them)
        pss, own = Processes().memory()
        latencies.sort()
        rate = len(latencies) / took
        tell(
            "sending, a session", count, pss=pss / count, own=own / count, browser=cpu[0] / count,
            driver=cpu[1] / count, python=cpu[2] / count, sends_a_second=rate / count,
            p50_ms=1000 * median(latencies), p99_ms=1000 * latencies[int(len(latencies) * 0.99)],
            cpu_ms_a_send=10 * cpu[0] / rate,
        )  # fmt: skip


@asynccontextmanager
async def bare(
    playwright: Playwright,
    chromium: Chromium,
    sim: Sim,
    folder: Path,
) -> AsyncIterator[Page]:
    """The same page in the same Chromium with nothing of ours in it, linked to a phone."""
    context = await launch(playwright, chromium, folder / "profile", folder / "downloads", service_workers=True)
    try:
        page = context.pages[0]
        await page.goto(sim.address)
        yield page
    finally:
        await context.close()


async def link_waiting(sim: Sim) -> None:
    """Scan whatever code is shown."""

    async def code() -> str | None:
        devices = (await sim.do("GET", "web/devices"))["devices"]
        return next((device["code"] for device in devices if device.get("code")), None)

    await sim.do("POST", "web/scan", {"code": await until(code, what="a code"), "phone": str(next(PHONES))})


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.timeout(600)
async def test_chromium_without_wa_js(
    playwright: Playwright,
    chromium: Chromium,
    sim: Sim,
    tmp_path: Path,
    count: int,
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(bare(playwright, chromium, sim, tmp_path / str(number)))
            await link_waiting(sim)
        await asyncio.sleep(5)
        cpu, _ = await spent(IDLE_SECONDS)
        pss, own = Processes().memory()
        tell("bare, idle, a session", count, pss=pss / count, own=own / count, browser=cpu[0] / count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.timeout(600)
async def test_sessions_as_contexts_of_one_browser(
    playwright: Playwright,
    chromium: Chromium,
    sim: Sim,
    wa_js: Path,
    count: int,
) -> None:
    flags = await chromium.arguments()
    browser = await playwright.chromium.launch(
        executable_path=chromium.path, args=flags, chromium_sandbox=os.geteuid() != 0
    )
    try:
        for _ in range(count):
            context = await browser.new_context(user_agent=masked_agent(await chromium.version()))
            told: list[str] = []
            await context.expose_binding(TELL, lambda _, batch, told=told: told.append(batch))
            script = ";\n".join([settings(), wa_js.read_text(), source(sim.url)])
            await context.add_init_script(script=script)
            page = await context.new_page()
            await page.goto(sim.address)
            await until(lambda told=told: any('"kind":"qr"' in batch for batch in told), 40, what="a code")
            await link_waiting(sim)
            await until(lambda told=told: any(f'"kind":"{Ready.model_fields["kind"].default}"' in b for b in told), 40)
        await asyncio.sleep(5)
        cpu, _ = await spent(IDLE_SECONDS)
        pss, own = Processes().memory()
        tell("contexts, idle, each", count, pss=pss / count, own=own / count, browser=cpu[0] / count)
    finally:
        await browser.close()


async def test_what_a_context_keeps_of_its_storage_cannot_hold_whatsapps_keys(
    playwright: Playwright,
    chromium: Chromium,
    sim: Sim,
) -> None:
    """WhatsApp Web keeps keys in IndexedDB that no script may read; a state that is taken as JSON loses them."""
    browser = await playwright.chromium.launch(
        executable_path=chromium.path, args=await chromium.arguments(), chromium_sandbox=os.geteuid() != 0
    )
    read = """() => new Promise((resolve, reject) => {
      const open = indexedDB.open("keys", 1);
      open.onupgradeneeded = () => open.result.createObjectStore("keys");
      open.onerror = () => reject(open.error);
      open.onsuccess = () => {
        const got = open.result.transaction("keys").objectStore("keys").get("key");
        got.onsuccess = () => resolve(got.result ? Object.prototype.toString.call(got.result) : null);
      };
    })"""
    write = """async () => {
      const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      await new Promise((resolve, reject) => {
        const open = indexedDB.open("keys", 1);
        open.onupgradeneeded = () => open.result.createObjectStore("keys");
        open.onsuccess = () => {
          const change = open.result.transaction("keys", "readwrite");
          change.objectStore("keys").put(key, "key");
          change.oncomplete = resolve;
          change.onabort = () => reject(change.error);
        };
      });
    }"""
    try:
        first = await browser.new_context()
        page = await first.new_page()
        await page.goto(f"{sim.url}/web/qr.svg")
        await page.evaluate(write)
        assert await page.evaluate(read) == "[object CryptoKey]"
        try:
            state = await first.storage_state(indexed_db=True)
        except Exception as error:
            LINES.append(f"storage_state with a key that cannot be read: {str(error).splitlines()[0][:150]}")
            return
        second = await (await browser.new_context(storage_state=state)).new_page()
        await second.goto(f"{sim.url}/web/qr.svg")
        kept = await second.evaluate(read)
        LINES.append(f"a key that cannot be read comes back from storage_state as {kept}")
        assert kept != "[object CryptoKey]"
    finally:
        await browser.close()
