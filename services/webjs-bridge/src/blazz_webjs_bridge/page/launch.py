"""One browser with one profile: started, or nothing of it left running."""

import asyncio
import contextlib
from pathlib import Path

from playwright.async_api import BrowserContext, Error, Playwright

from blazz_webjs_bridge.page import singleton
from blazz_webjs_bridge.page.chromium import Chromium
from blazz_webjs_bridge.page.errors import BrowserFailed, BrowserMissing
from blazz_webjs_bridge.page.process_tree import kill_of_profile

LAUNCH_WITHIN = 30.0
"""Seconds; 0.3 on an idle machine, some when ten start at once on two cores."""
_KILLS, _BETWEEN_KILLS = 25, 0.2  # the second in seconds
WINDOW = {"width": 1024, "height": 700}  # WhatsApp Web asks for a wider one below 750 and shows another page


async def launch(
    playwright: Playwright, chromium: Chromium, profile: Path, downloads: Path, *, service_workers: bool
) -> BrowserContext:
    """Start Chromium on a profile. Raises `BrowserMissing`, `BrowserFailed`."""
    if not chromium.path.exists():
        raise BrowserMissing(f"There is no Chromium at {chromium.path} any more.")
    flags = await chromium.arguments()
    await asyncio.to_thread(_prepare, profile, downloads)
    starting = asyncio.ensure_future(
        playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium.path,
            headless=True,
            chromium_sandbox=not chromium.root,  # Chromium refuses its sandbox to root
            args=flags,
            accept_downloads=True,
            downloads_path=downloads,
            viewport={"width": WINDOW["width"], "height": WINDOW["height"]},
            service_workers="allow" if service_workers else "block",
            timeout=LAUNCH_WITHIN * 1000,
            handle_sigint=False,  # the bridge closes its browsers itself
            handle_sigterm=False,
            handle_sighup=False,
        )
    )
    try:
        return await asyncio.wait_for(asyncio.shield(starting), LAUNCH_WITHIN + 5)
    except Error as error:
        await asyncio.to_thread(kill_of_profile, profile)
        raise BrowserFailed(f"Chromium did not start: {_cause(error)}") from error
    except TimeoutError:
        await _give_up(starting, profile)
        raise BrowserFailed(f"Chromium did not start within {LAUNCH_WITHIN:.0f} s.") from None
    except asyncio.CancelledError:
        await _give_up(starting, profile)
        raise


async def main_process(context: BrowserContext, profile: Path) -> int:
    """The pid of the browser's main process. Raises `BrowserFailed`."""
    if context.browser is not None:
        cdp = await context.browser.new_browser_cdp_session()
        told = await cdp.send("SystemInfo.getProcessInfo")
        await cdp.detach()
        for process in told["processInfo"]:
            if process["type"] == "browser":
                return int(process["id"])
    if pid := await asyncio.to_thread(singleton.holder, profile):
        return pid
    raise BrowserFailed("Chromium does not say which process it is.")


def _prepare(profile: Path, downloads: Path) -> None:
    profile.mkdir(parents=True, exist_ok=True)
    downloads.mkdir(parents=True, exist_ok=True)
    singleton.clear(profile)


async def _give_up(starting: "asyncio.Future[BrowserContext]", profile: Path) -> None:
    """Kill what has started; what starts only now is closed as soon as Playwright has it."""

    def close(done: "asyncio.Future[BrowserContext]") -> None:
        if not done.cancelled() and not done.exception():
            task = asyncio.ensure_future(done.result().close())
            task.add_done_callback(lambda closed: closed.cancelled() or closed.exception())

    starting.add_done_callback(close)
    for _ in range(_KILLS):  # the process may be born only now
        with contextlib.suppress(OSError):
            await asyncio.to_thread(kill_of_profile, profile)
        if (await asyncio.wait({starting}, timeout=_BETWEEN_KILLS))[0]:
            return


def _cause(error: Error) -> str:
    """The lines of Playwright's report that say what happened, without its drawing and the whole command line."""
    lines = [line.strip(" -") for line in error.message.splitlines()]
    said = [
        line
        for line in lines
        if line and not line.startswith(("╔", "║", "╚", "<launching>", "Call log", "Browser logs"))
    ]
    return " · ".join(said)[:1000]
