"""Which Chromium we run, how it is started, and what it calls itself towards the site."""

import asyncio
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright

from blazz_webjs_bridge.page.errors import BrowserFailed, BrowserMissing

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_IT = (
    "No Chromium was found: install one (`apt install chromium`, or `playwright install chromium`), "
    "or set the path of a Chromium that is there."
)

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # A page without a window is a background tab to Chromium, whose timers run once a minute after a while.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    # Memory that a session has for itself, measured: 94 MB without these, 69 MB with them (docs/adr/0051).
    "--renderer-process-limit=1",  # no spare renderer for a second site that never comes
    # The second is Playwright's own: of two such flags Chromium takes the last.
    "--enable-features=NetworkServiceInProcess2,CDPScreenshotNewSurface",
    "--disable-software-rasterizer",
)
VERSION_WITHIN = 20.0  # seconds for `--version`; a cold disk needs some
_VERSION = re.compile(r"(\d+)\.\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Chromium:
    """One Chromium of this machine."""

    path: Path
    root: bool = field(default_factory=lambda: os.geteuid() == 0)
    _versions: dict[Path, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def find(
        cls,
        path: str | Path | None = None,
        *,
        playwright: Playwright | None = None,
        names: Sequence[str] = SYSTEM_NAMES,
    ) -> "Chromium":
        """The one that was asked for; else Playwright's own, where it is installed; else the system's.

        Raises `BrowserMissing` with what to install. A path that was asked for and holds none is an error: nobody wants
        another browser than the one they named.
        """
        if path:
            asked = Path(path).expanduser()
            if not (asked.is_file() and os.access(asked, os.X_OK)):
                raise BrowserMissing(f"There is no Chromium that can be run at {asked}. {INSTALL_IT}")
            return cls(asked)
        if playwright is not None and (own := Path(playwright.chromium.executable_path)).is_file():
            return cls(own)
        for name in names:
            if found := shutil.which(name):
                return cls(Path(found))
        raise BrowserMissing(INSTALL_IT)

    async def version(self) -> str:
        """Such as `150.0.7871.100`, asked once. Raises `BrowserFailed`."""
        if self.path not in self._versions:
            self._versions[self.path] = await self._ask_version()
        return self._versions[self.path]

    async def arguments(self) -> list[str]:
        """The flags of a launch. The user agent is one, so that workers and service workers have it, too."""
        return [*FLAGS, f"--user-agent={masked_agent(await self.version())}"]

    async def _ask_version(self) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                self.path, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            raise BrowserFailed(f"{self.path} cannot be run: {error}") from error
        try:
            said, _ = await asyncio.wait_for(process.communicate(), VERSION_WITHIN)
        except TimeoutError:
            raise BrowserFailed(f"{self.path} --version did not answer within {VERSION_WITHIN:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if found := _VERSION.search(said.decode(errors="replace")):
            return found[0]
        raise BrowserFailed(f"{self.path} does not say what version it is")


def masked_agent(version: str) -> str:
    """What a Chromium with a window calls itself: `HeadlessChrome` would tell the site that nobody sits there.

    Reduced as Chromium itself does it: the major version alone (https://www.chromium.org/updates/ua-reduction/).
    """
    major = version.split(".")[0]
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"


def masked_identity(version: str) -> dict[str, Any]:
    """The same for `Emulation.setUserAgentOverride`: the brands of `navigator.userAgentData` and of `Sec-CH-UA`."""
    major = version.split(".")[0]
    return {
        "userAgent": masked_agent(version),
        "userAgentMetadata": {
            "brands": [{"brand": "Not;A=Brand", "version": "8"}, {"brand": "Chromium", "version": major}],
            "fullVersionList": [
                {"brand": "Not;A=Brand", "version": "8.0.0.0"},
                {"brand": "Chromium", "version": version},
            ],
            "platform": "Linux",
            "platformVersion": "",
            "architecture": "x86",
            "bitness": "64",
            "model": "",
            "mobile": False,
        },
    }
