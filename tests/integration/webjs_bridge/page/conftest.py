"""WhatsApp Web of the simulator, with the real wa-js, in a real Chromium, as the driver opens it."""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from blazz_local import CLONE
from blazz_simulator.app import build
from blazz_simulator.settings import Settings
from blazz_webjs_bridge.page.calls import Call, FindPerson, Send, Sent, State
from blazz_webjs_bridge.page.chromium import Chromium
from blazz_webjs_bridge.page.errors import PageTimeout
from blazz_webjs_bridge.page.facts import Fact, QrShown, Ready
from blazz_webjs_bridge.page.web_page import WebPage
from blazz_webjs_bridge.page.words import Somebody
from playwright.async_api import Playwright, async_playwright

from tests.support.polling import until

JS = CLONE / "services" / "webjs-bridge" / "js"
PHONES = itertools.count(4915100000001)
CUSTOMERS = itertools.count(4917200000001)
HEX = itertools.count(1)
A = TypeVar("A")
F = TypeVar("F", bound=Fact)


class Sim:
    """The simulator, over HTTP."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http
        self.address = f"{url}/web/"

    async def do(self, method: str, path: str, json: Any = None) -> Any:
        async with self.http.request(method, f"{self.url}/_sim/{path}", json=json) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body

    async def ledger(self, to: str) -> list[dict[str, Any]]:
        return [entry for entry in (await self.do("GET", "ledger?limit=10000"))["entries"] if entry["to"] == to]

    async def writes(self, customer: str, to: str, **message: Any) -> str:
        """A customer writes; returns the message's key."""
        return str((await self.do("POST", f"phones/{customer}/messages", {"to": to, **message}))["id"])

    async def fault(self, kind: str, **rule: Any) -> None:
        await self.do("PUT", "web/faults", {"kind": kind, **rule})

    async def mend(self) -> None:
        await self.do("DELETE", "web/faults")


class Driven:
    """A page, what it told, and the phone it is linked to."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.phone = str(next(PHONES))
        self.told: list[Fact] = []
        self.page: WebPage

    def facts(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.told if isinstance(fact, kind)]

    async def hears(self, kind: type[F], where: Callable[[F], Any] = lambda _: True, within: float = 20) -> F:
        """Wait for a fact of a kind."""
        return await until(lambda: next(filter(where, self.facts(kind)), None), within, what=kind.__name__)

    async def call(self, call: Call[A], within: float | None = None) -> A:
        return await self.page.call(call, within=within)

    async def link(self) -> None:
        """Scan the code that is shown, and wait until chats are there."""
        shown = await self.hears(QrShown)
        await self.sim.do("POST", "web/scan", {"code": shown.code, "phone": self.phone})
        await self.hears(Ready)

    async def somebody(self) -> Somebody:
        """A customer whom nobody has written to yet."""
        person = await self.call(FindPerson(phone=str(next(CUSTOMERS))))
        assert person is not None
        return person

    async def freeze(self, seconds: float) -> None:
        """Let the page do nothing for so long; returns when a call has run into its time limit."""

        async def late() -> bool:
            try:
                await self.call(State(), within=0.4)
            except PageTimeout:
                return True
            return False

        await self.sim.fault("freeze", phone=self.phone, seconds=seconds)
        await until(late, what="the freeze")

    def key(self, chat: str) -> str:
        return f"true_{chat}_3EB0{next(HEX):016X}"

    async def send(self, chat: str, *, within: float | None = None, **what: Any) -> Sent:
        return await self.call(Send(chat=chat, **{"id": self.key(chat), "type": "text", **what}), within)


@pytest_asyncio.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(chromium_path: Path) -> Chromium:
    return Chromium.find(chromium_path)


@pytest_asyncio.fixture(scope="session")
async def sim() -> AsyncIterator[Sim]:
    runner = web.AppRunner(build(Settings()))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    async with aiohttp.ClientSession() as http:
        yield Sim(f"http://127.0.0.1:{port}", http)
    await runner.cleanup()


Open = Callable[..., Any]


@pytest.fixture(scope="session")
def open_page(
    playwright: Playwright, chromium: Chromium, sim: Sim, wa_js: Path, tmp_path_factory: pytest.TempPathFactory
) -> Open:
    """`async with open_page() as driven` with a fresh profile, or one that is given; more goes to `WebPage.open`."""

    @asynccontextmanager
    async def opened(profile: Path | None = None, *, phone: str | None = None, **more: Any) -> AsyncIterator[Driven]:
        driven = Driven(sim)
        driven.phone = phone or driven.phone
        asked: dict[str, Any] = {
            "playwright": playwright,
            "chromium": chromium,
            "profile": profile or tmp_path_factory.mktemp("profile"),
            "address": sim.address,
            "wa_js": wa_js,
            "on_fact": driven.told.append,
            "downloads": tmp_path_factory.getbasetemp() / "downloads",
            **more,
        }
        driven.page = await WebPage.open(**asked)
        try:
            yield driven
        finally:
            await driven.page.close()
            if profile is None:
                shutil.rmtree(asked["profile"], ignore_errors=True)

    return opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def linked(open_page: Open) -> AsyncIterator[Driven]:
    """A page that is linked and ready, for the whole module."""
    async with open_page() as driven:
        await driven.link()
        yield driven


@pytest_asyncio.fixture(loop_scope="session")
async def mended(sim: Sim) -> AsyncIterator[None]:
    """Faults that a test sets are gone after it."""
    yield
    await sim.mend()
