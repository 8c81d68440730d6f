"""How fast a WhatsApp Web page of the simulator is linked and sends, through the real wa-js, and what it weighs."""

import asyncio
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]  # fmt: skip

SENDS = 500
SENDS_A_SECOND_MIN = 50
"""The promise, one after the other, each with the server's answer: a bridge gets at least 20 a second out of it."""
LOAD_SECONDS_MAX = 2.0
READY_SECONDS_MAX = 2.0
PAGES = 10
MEGABYTES_A_PAGE_MAX = 60
"""Private memory of each further page of one browser."""


@pytest.fixture
def simulator() -> Iterator[str]:
    environment = {**os.environ, "BLAZZ_SIM_PORT": "0", "BLAZZ_SIM_LOG_JSON": "true"}
    process = subprocess.Popen([sys.executable, "-m", "blazz_simulator"], env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    with process, process.stderr:
        yield orjson.loads(process.stderr.readline())["url"]
        process.terminate()
        process.stderr.read()


@pytest.fixture
async def context(tmp_path: Path, chromium_path: Path, wa_js: Path) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=chromium_path, args=ARGS
        )
        await context.add_init_script("window.WPPConfig = {disableGoogleAnalytics: true}")
        await context.add_init_script(path=wa_js)
        yield context
        await context.close()


def call(url: str, method: str, path: str, data: Any = None) -> Any:
    body = None if data is None else orjson.dumps(data)
    return orjson.loads(
        urllib.request.urlopen(urllib.request.Request(f"{url}/_sim/{path}", body, method=method)).read()
    )


async def until(page: Page, expression: str, seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := await page.evaluate(expression)):
        assert time.monotonic() < end, expression
        await asyncio.sleep(0.01)
    return found


async def show_code(page: Page, url: str) -> str:
    await page.goto(f"{url}/web/")
    ready = "window.WPP?.isFullReady && WPP.conn.getAuthCode().then(code => code?.fullCode)"
    return str(await until(page, ready))


def memory(context: BrowserContext) -> float:
    """Private megabytes of this test's renderers."""
    children = psutil.Process().children(recursive=True)
    renderers = [child for child in children if "--type=renderer" in child.cmdline()]
    return sum(child.memory_full_info().uss for child in renderers) / 2**20


async def test_a_page_links_and_sends_as_fast_as_promised(
    simulator: str, context: BrowserContext, record_property: Callable[[str, object], None]
) -> None:
    page = context.pages[0]
    started = time.monotonic()
    code = await show_code(page, simulator)
    load = time.monotonic() - started
    started = time.monotonic()
    call(simulator, "POST", "web/scan", {"code": code, "phone": "493012345678"})
    await until(page, "WPP.conn.getStreamData().mode === 'MAIN'")
    ready = time.monotonic() - started
    started = time.monotonic()
    await page.evaluate(
        """async count => {
          const options = {waitForAck: true, markIsRead: false, linkPreview: false};
          for (let number = 0; number < count; number++) {
            const {id} = await WPP.chat.find(`49151${String(number % 50).padStart(8, "0")}@c.us`);
            await WPP.chat.sendTextMessage(id, `text ${number}`, options);
          }
        }""",
        SENDS,
    )
    rate = SENDS / (time.monotonic() - started)
    assert call(simulator, "GET", "ledger?after=0&limit=1")["entries"][0]["via"] == "web"
    assert call(simulator, "GET", "health")["ledger"]["last"] == SENDS
    for name, value in (("load_to_code_s", load), ("scan_to_ready_s", ready), ("sends_per_s", rate)):
        record_property(name, round(value, 3))
        print(f"{name}: {value:.2f}")
    assert load < LOAD_SECONDS_MAX
    assert ready < READY_SECONDS_MAX
    assert rate > SENDS_A_SECOND_MIN


async def test_ten_pages_fit_into_one_machine(
    simulator: str, context: BrowserContext, record_property: Callable[[str, object], None]
) -> None:
    assert context.browser is None or context.browser.is_connected()
    await show_code(context.pages[0], simulator)
    before = memory(context)
    for _ in range(PAGES - 1):
        await show_code(await context.new_page(), simulator)
    each = (memory(context) - before) / (PAGES - 1)
    record_property("megabytes_a_page", round(each, 1))
    print(f"megabytes_a_page: {each:.1f} (the first: {before:.1f})")
    assert each < MEGABYTES_A_PAGE_MAX
