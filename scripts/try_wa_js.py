"""Try a release of wa-js: does it have what our script uses, and what has changed against the pinned one?

    .venv/bin/python scripts/try_wa_js.py [version]        # the newest without one

It is fetched into a temporary folder, loaded into the simulator's WhatsApp Web in a real Chromium, linked, and asked.
Exit status: 0 all is there, 1 something is not. To take it: change services/webjs-bridge/js/package.json and its lock.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import aiohttp
from aiohttp import web
from blazz_local import CLONE, npm
from blazz_simulator.app import build
from blazz_simulator.settings import Settings
from blazz_webjs_bridge.page.chromium import Chromium
from blazz_webjs_bridge.page.declarations import Declarations, changes, missing_events
from blazz_webjs_bridge.page.facts import Fact, QrShown, Ready
from blazz_webjs_bridge.page.web_page import WebPage
from playwright.async_api import async_playwright

NAME = "@wppconnect/wa-js"
PINNED = CLONE / "services" / "webjs-bridge" / "js"
WITHIN = 60.0  # seconds until the page is linked


def main() -> int:
    """Fetch, try, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("version", nargs="?", default="latest")
    parser.add_argument("--chromium", default=os.environ.get("BLAZZ_CHROMIUM"), help="path of the browser")
    arguments = parser.parse_args()
    npm.install(PINNED)
    with tempfile.TemporaryDirectory(prefix="blazz-wa-js-") as folder:
        new = fetch(arguments.version, Path(folder))
        return report(PINNED / "node_modules" / NAME, new, asyncio.run(broken(new, arguments.chromium, Path(folder))))


def fetch(version: str, folder: Path) -> Path:
    """The package's folder of a release."""
    (folder / "package.json").write_text(json.dumps({"name": "try-wa-js", "private": True}))
    npm.add(folder, f"{NAME}@{version}")
    return folder / "node_modules" / NAME


async def broken(package: Path, chromium: str | None, folder: Path) -> list[str]:
    """What our script would miss, asked of a linked page with this release in it."""
    runner = web.AppRunner(build(Settings()))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    try:
        async with async_playwright() as playwright, aiohttp.ClientSession() as http, asyncio.timeout(WITHIN):
            facts: asyncio.Queue[Fact] = asyncio.Queue()
            page = await WebPage.open(
                playwright=playwright,
                chromium=Chromium.find(chromium, playwright=playwright),
                profile=folder / "profile",
                address=f"{address}/web/",
                wa_js=package / "dist" / "wppconnect-wa.js",
                on_fact=facts.put_nowait,
            )
            try:
                while not isinstance(fact := await facts.get(), Ready):
                    if isinstance(fact, QrShown):
                        scan = {"code": fact.code, "phone": "4915100000001"}
                        await http.post(f"{address}/_sim/web/scan", json=scan)
                return await page.broken()
            finally:
                await page.close()
    except TimeoutError:
        return [f"the page was not ready within {WITHIN:.0f} s"]
    finally:
        await runner.cleanup()


def report(old: Path, new: Path, missing: list[str]) -> int:
    """Tell people; returns the exit status."""
    versions = [json.loads((package / "package.json").read_text())["version"] for package in (old, new)]
    before, after = Declarations(old), Declarations(new)
    missing += missing_events(after)
    print(f"wa-js {versions[1]}, against {versions[0]} which is pinned\n")
    print("missing or broken:", *(missing or ["nothing"]), sep="\n  ")
    print("\ndeclared otherwise:", *(changes(before, after) or ["nothing"]), sep="\n  ")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
