"""The simulator is stopped and started: what was linked is linked, without a scan."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from blazz_simulator.app import build
from blazz_simulator.settings import Settings
from playwright.async_api import Browser

from .conftest import Sim, Tab, fast, open_tab

PHONE, CUSTOMER = "493066600001", "4915166600001"


class House:
    """A simulator that can be stopped, and started with the same folder at the same address."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession) -> None:
        self.folder, self.http, self.port = folder, http, 0
        self.runner: web.AppRunner | None = None

    async def start(self) -> Sim:
        self.runner = web.AppRunner(build(Settings(data=self.folder)), access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self.runner.addresses[0][1]
        sim = Sim(f"http://127.0.0.1:{self.port}", self.http)
        await fast(sim)
        return sim

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
        self.runner = None


@pytest.fixture
async def house(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[House]:
    house = House(tmp_path, http)
    yield house
    await house.stop()


@pytest.fixture
async def tab(browser: Browser, house: House) -> AsyncIterator[Tab]:
    """A page that is linked."""
    tab = await open_tab(browser, await house.start())
    await tab.load()
    await tab.link(PHONE)
    yield tab
    await tab.page.context.close()


async def works(tab: Tab, sim: Sim, text: str) -> None:
    """Both ways, once."""
    sent = await tab.send(CUSTOMER, text)
    await tab.event("chat.msg_ack_change", lambda e: e["ack"] == 3 and e["ids"][0]["_serialized"] == sent["id"])
    await sim.write(CUSTOMER, {"text": f"yes, {text}", "to": PHONE})
    await tab.event("chat.new_message", lambda e: e["body"] == f"yes, {text}")


async def test_a_page_that_stays_open_goes_on(house: House, tab: Tab) -> None:
    await works(tab, tab.sim, "before")
    (before,) = await tab.sim.devices(PHONE)
    await house.stop()
    await tab.until("WPP.conn.getStreamData().info === 'OFFLINE'")
    sim = await house.start()
    await tab.main()
    await works(tab, sim, "after")
    (after,) = await sim.devices(PHONE)
    assert (after["id"], after["state"], after["linked_at"]) == (before["id"], "online", before["linked_at"])
    assert await tab.events("conn.logout") == []


async def test_a_page_that_is_opened_after_the_restart_is_ready_without_a_scan(
    browser: Browser, house: House, tab: Tab
) -> None:
    sent = await tab.send(CUSTOMER, "before")
    await tab.page.close()
    await house.stop()
    sim = await house.start()
    again = await open_tab(browser, sim, tab.page.context)
    # What comes before the page does waits for it.
    await sim.write(CUSTOMER, {"text": "meanwhile", "to": PHONE})
    await again.load()
    await again.main()
    assert await again.ack(sent["id"]) >= 1
    chat = sent["id"].split("_")[1]
    await again.until(f"WPP.chat.getMessages('{chat}').then(all => all.some(m => m.body === 'meanwhile'))")
    await works(again, sim, "after")


async def test_a_page_that_was_logged_out_has_to_be_scanned(house: House, tab: Tab) -> None:
    (device,) = await tab.sim.devices(PHONE)
    await tab.page.close()
    await tab.sim.do("DELETE", f"web/devices/{device['id']}")
    await house.stop()
    sim = await house.start()
    assert await sim.devices(PHONE) == []
