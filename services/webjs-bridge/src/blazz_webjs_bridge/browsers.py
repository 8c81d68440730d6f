"""Playwright and the browser of this machine, started when the first session needs them."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from playwright.async_api import Playwright, async_playwright

from blazz_webjs_bridge.page.chromium import Chromium
from blazz_webjs_bridge.page.facts import Fact
from blazz_webjs_bridge.page.web_page import WebPage
from blazz_webjs_bridge.profiles import Profiles
from blazz_webjs_bridge.settings import Settings


class Browsers:
    """Opens pages of WhatsApp Web. One Playwright driver serves all sessions of an instance."""

    def __init__(self, settings: Settings, profiles: Profiles) -> None:
        self._settings, self._profiles = settings, profiles
        self._starting = asyncio.Lock()
        self._playwright: Playwright | None = None

    async def open_page(self, session_id: UUID, on_fact: Callable[[Fact], None]) -> WebPage:
        """Open the page of a session. Raises `PageError`."""
        settings = self._settings
        async with self._starting:
            if self._playwright is None:
                self._playwright = await async_playwright().start()
        evidence = settings.webjs_bridge_evidence
        return await WebPage.open(
            playwright=self._playwright,
            chromium=Chromium.find(settings.webjs_bridge_chromium, playwright=self._playwright),
            profile=self._profiles.of(session_id),
            address=settings.webjs_bridge_web_url,
            wa_js=settings.webjs_bridge_wa_js,
            on_fact=on_fact,
            version=settings.webjs_bridge_web_version,
            evidence=evidence / str(session_id) if evidence else None,
        )

    async def close(self) -> None:
        """Stop the driver."""
        playwright, self._playwright = self._playwright, None
        if playwright is not None:
            await playwright.stop()
