"""The real wa-js bundle in a real Chromium, in the simulator's own WhatsApp Web."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from blazz_simulator.app import build
from blazz_simulator.settings import Settings
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

BUNDLE = Path(__file__).parents[4] / "services/webjs-bridge/js/node_modules/@wppconnect/wa-js/dist/wppconnect-wa.js"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Everything wa-js tells, as plain values: [name, value].
RECORDER = """
window.seen = [];
if (window.WPP) WPP.onAny((name, ...values) => {
  let value = null;
  try { value = JSON.parse(JSON.stringify(values.length > 1 ? values : values[0] ?? null)); }
  catch { value = "unreadable"; }
  window.seen.push([String(name), value]);
});
"""


def script() -> str:
    return f"window.WPPConfig = {{disableGoogleAnalytics: true}};\n{BUNDLE.read_text()}\n{RECORDER}"


class Sim:
    """The simulator, over HTTP."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def control(self, method: str, path: str, json: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, f"{self.url}/_sim/{path}", json=json) as answer:
            return answer.status, await answer.json()

    async def do(self, method: str, path: str, json: Any = None) -> Any:
        """Call the control API and expect it to agree."""
        status, answer = await self.control(method, path, json)
        assert status == 200, answer
        return answer

    async def ledger(self, to: str | None = None) -> list[dict[str, Any]]:
        entries = (await self.do("GET", "ledger?limit=10000"))["entries"]
        return [entry for entry in entries if to in (None, entry["to"])]

    async def devices(self, phone: str | None = None) -> list[dict[str, Any]]:
        found = (await self.do("GET", "web/devices"))["devices"]
        return [device for device in found if phone in (None, device["phone"])]

    async def write(self, customer: str, data: dict[str, Any]) -> str:
        return str((await self.do("POST", f"phones/{customer}/messages", data))["id"])


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 15, what: str = "") -> Any:
    """Poll until `condition`, a call to make, gives something true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < end, f"waited in vain {what}"
        await asyncio.sleep(0.01)
    return found


class Tab:
    """One page of WhatsApp Web, as a bridge drives it."""

    def __init__(self, page: Page, sim: Sim) -> None:
        self.page = page
        self.sim = sim
        self.phone = ""
        self.errors: list[str] = []
        self.crashed = asyncio.Event()
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("crash", lambda _: self.crashed.set())

    async def js(self, expression: str, argument: Any = None) -> Any:
        return await asyncio.wait_for(self.page.evaluate(expression, argument), 30)

    async def until(self, expression: str, seconds: float = 15) -> Any:
        async def true() -> Any:
            try:
                return await self.js(expression)
            except Exception as error:
                if "Execution context" in str(error) or "navigat" in str(error):
                    return None  # the page is being loaded anew
                raise

        return await until(true, seconds, expression)

    async def load(self) -> None:
        await self.page.goto(f"{self.sim.url}/web/")
        await self.ready()

    async def reload(self) -> None:
        await self.page.reload()
        await self.ready()

    async def ready(self) -> None:
        await self.until("window.WPP?.isFullReady")

    async def code(self) -> str:
        return str(await self.until("window.WPP?.isFullReady && WPP.conn.getAuthCode().then(code => code?.fullCode)"))

    async def main(self) -> None:
        await self.until("window.WPP?.isFullReady && WPP.conn.getStreamData().mode === 'MAIN'")

    async def link(self, phone: str) -> None:
        await self.sim.do("POST", "web/scan", {"code": await self.code(), "phone": phone})
        await self.main()
        self.phone = phone

    async def events(self, name: str) -> list[Any]:
        return [value for seen, value in await self.js("window.seen ?? []") if seen == name]

    async def event(self, name: str, test: Callable[[Any], bool] = lambda _: True, seconds: float = 15) -> Any:
        """Wait until an event came for which `test` holds, and return its value (`[value]`, for it may be nothing)."""

        async def came() -> list[Any] | None:
            found = [value for value in await self.events(name) if test(value)]
            return found[-1:] or None

        return (await until(came, seconds, name))[0]

    async def chat(self, customer: str) -> str:
        return str(await self.js("async id => String((await WPP.chat.find(id)).id)", f"{customer}@c.us"))

    async def send(self, customer: str, text: str, hex_: str | None = None, **options: Any) -> Any:
        chat = await self.chat(customer)
        options = {"markIsRead": False, "linkPreview": False, "waitForAck": True, **options}
        if hex_ is not None:
            options["messageId"] = f"true_{chat}_{hex_}"
        return await self.js(
            "async ([chat, text, options]) => WPP.chat.sendTextMessage(chat, text, options)", [chat, text, options]
        )

    async def ack(self, message_id: str) -> int:
        return int(await self.js("async id => (await WPP.chat.getMessageById(id)).ack", message_id))


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(json_serialize=lambda data: orjson.dumps(data).decode()) as session:
        yield session


@pytest.fixture(scope="module")
async def sim(http: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sim]:
    app = build(Settings(data=tmp_path_factory.mktemp("sim")))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sim = Sim(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    await fast(sim)
    yield sim
    await runner.cleanup()


async def fast(sim: Sim) -> None:
    await sim.do("PUT", "statuses", {"delays": {"sent": 0.01, "delivered": 0.02, "read": 0.03, "played": 0.04}})


@pytest.fixture(scope="session")
async def browser(chromium_path: Path, wa_js: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        yield browser
        await browser.close()


async def open_tab(browser: Browser, sim: Sim, context: BrowserContext | None = None) -> Tab:
    if context is None:
        context = await browser.new_context()
        await context.add_init_script(script())
    return Tab(await context.new_page(), sim)


@pytest.fixture
async def new_tab(browser: Browser, sim: Sim) -> AsyncIterator[Callable[..., Awaitable[Tab]]]:
    tabs: list[Tab] = []

    async def make(context: BrowserContext | None = None, load: bool = True) -> Tab:
        tab = await open_tab(browser, sim, context)
        tabs.append(tab)
        if load:
            await tab.load()
        return tab

    yield make
    for context in {tab.page.context for tab in tabs}:
        await context.close()


@pytest.fixture
async def tab(new_tab: Callable[..., Awaitable[Tab]]) -> Tab:
    """A page that shows its code."""
    return await new_tab()


@pytest.fixture(scope="module")
async def linked(browser: Browser, sim: Sim) -> AsyncIterator[Tab]:
    """A page that is linked to a phone, shared by the tests of a module."""
    tab = await open_tab(browser, sim)
    await tab.load()
    await tab.link("493012345678")
    yield tab
    await tab.page.context.close()
