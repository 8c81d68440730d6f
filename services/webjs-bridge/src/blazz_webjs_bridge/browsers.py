"""Playwright and the browser of this machine, started when the first session needs them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import psutil
import structlog
from playwright.async_api import Error, Playwright, async_playwright

from blazz_webjs_bridge.page.chromium import Chromium
from blazz_webjs_bridge.page.errors import BrowserMissing
from blazz_webjs_bridge.page.facts import Fact
from blazz_webjs_bridge.page.web_page import WebPage
from blazz_webjs_bridge.profiles import Profiles
from blazz_webjs_bridge.settings import Settings

log = structlog.get_logger(__name__)

_DRIVER = "run-driver"  # the word by which Playwright starts its driver


class Browsers:
    """Opens pages of WhatsApp Web. One Playwright driver serves all sessions of an instance."""

    def __init__(self, settings: Settings, profiles: Profiles) -> None:
        self._settings, self._profiles = settings, profiles
        self._starting = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._driver: psutil.Process | None = None

    async def open_page(self, session_id: UUID, on_fact: Callable[[Fact], None]) -> WebPage:
        """Open the page of a session. Raises `PageError`."""
        settings, playwright = self._settings, await self._started()
        evidence = settings.webjs_bridge_evidence
        return await WebPage.open(
            playwright=playwright,
            chromium=Chromium.find(settings.webjs_bridge_chromium, playwright=playwright),
            profile=self._profiles.of(session_id),
            address=settings.webjs_bridge_web_url,
            wa_js=settings.webjs_bridge_wa_js,
            on_fact=on_fact,
            version=settings.webjs_bridge_web_version,
            versions=settings.webjs_bridge_web_versions,
            downloads=self._profiles.files(session_id),
            evidence=evidence / str(session_id) if evidence else None,
            trace=settings.webjs_bridge_trace,
        )

    async def check(self) -> None:
        """Return when a session could be opened here; raise, saying what is missing, when not."""
        if not self._settings.webjs_bridge_wa_js.is_file():
            raise BrowserMissing(f"wa-js is not at {self._settings.webjs_bridge_wa_js}: run npm ci, or name the bundle")
        try:
            Chromium.find(self._settings.webjs_bridge_chromium)
        except BrowserMissing:
            # Playwright's own is known by Playwright alone.
            Chromium.find(self._settings.webjs_bridge_chromium, playwright=await self._started())

    async def _started(self) -> Playwright:
        """Playwright, with a driver that lives: when that has died, all its browsers are gone, and it starts anew."""
        async with self._starting:
            if self._playwright is not None and self._driver is not None and not self._driver.is_running():
                log.error("playwright_driver_died")
                await self._stopped()
            if self._playwright is None:
                self._playwright = await async_playwright().start()
                self._driver = _newest_driver()
            return self._playwright

    async def close(self) -> None:
        """Stop the driver."""
        async with self._starting:
            await self._stopped()

    async def _stopped(self) -> None:
        playwright, self._playwright, self._driver = self._playwright, None, None
        if playwright is not None:
            with suppress(Error):
                await playwright.stop()


def _newest_driver() -> psutil.Process | None:
    drivers = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if _DRIVER in child.cmdline():
                drivers.append(child)
    return max(drivers, key=psutil.Process.create_time, default=None)
