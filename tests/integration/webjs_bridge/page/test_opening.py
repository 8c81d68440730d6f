"""Starting a browser for a session: what it calls itself, what it loads, and what is left when it cannot."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from blazz_webjs_bridge.page.calls import State
from blazz_webjs_bridge.page.chromium import Chromium
from blazz_webjs_bridge.page.errors import BrowserFailed, BrowserMissing
from blazz_webjs_bridge.page.facts import QrShown, Ready

from tests.integration.webjs_bridge.page.conftest import Driven, Open, Sim
from tests.support.polling import until

WHO = """async () => {
  const high = await navigator.userAgentData.getHighEntropyValues(["fullVersionList"]);
  const worker = await new Promise(resolve => {
    const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(navigator.userAgent)"])));
    worker.onmessage = ({ data }) => resolve(data);
  });
  return JSON.stringify([navigator.userAgent, worker, navigator.userAgentData.brands, high]);
}"""


@asynccontextmanager
async def site(status: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A site that answers every request so; its address, and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi".encode())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", asked


def browsers_of(profile: Path) -> list[psutil.Process]:
    processes = psutil.process_iter(["cmdline"])
    return [p for p in processes if any(str(profile) in part for part in p.info["cmdline"] or [])]


async def test_the_browser_does_not_say_that_it_has_no_window(linked: Driven, chromium: Chromium) -> None:
    who = await linked.page._page.evaluate(WHO)
    assert "Headless" not in who
    assert f"Chrome/{(await chromium.version()).split('.')[0]}.0.0.0" in who


async def test_the_site_is_not_told_of_a_browser_without_a_window_in_headers(open_page: Open) -> None:
    async with site("200 OK") as (address, asked), open_page(address=address):
        assert "user-agent: mozilla/5.0" in asked[0].lower()
        assert "headless" not in asked[0].lower()


@pytest.mark.parametrize("status", ["404 Not Found", "503 Busy"])
async def test_a_site_that_answers_an_error_is_named_and_leaves_no_browser(
    open_page: Open, tmp_path: Path, status: str
) -> None:
    async with site(status) as (address, _):
        with pytest.raises(BrowserFailed, match=status[:3]):
            async with open_page(tmp_path / "profile", address=address):
                pass
    await until(lambda: not browsers_of(tmp_path / "profile"), what="the browser's end")


async def test_a_site_that_is_not_there_is_named_and_leaves_no_browser(open_page: Open, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(BrowserFailed, match="did not load"):
            async with open_page(tmp_path / "profile", address=address):
                pass
    await until(lambda: not browsers_of(tmp_path / "profile"), what="the browser's end")


async def test_giving_up_while_it_opens_leaves_no_browser(open_page: Open, tmp_path: Path) -> None:
    async def opening() -> None:
        async with open_page(tmp_path / "profile"):
            pass

    for share in (0.05, 0.2, 0.4):
        task = asyncio.ensure_future(opening())
        done, _ = await asyncio.wait({task}, timeout=share)
        if done:
            task.result()  # it opened before it was given up
        else:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        # A launch that is under way when it is given up ends at its own limit at the latest.
        await until(lambda: not browsers_of(tmp_path / "profile"), 60, what="the browser's end")


async def test_a_chromium_that_cannot_start_is_named(open_page: Open, tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Chromium 1.2.3.4 && exit 0\necho no display >&2\nexit 3\n'
    )
    broken.chmod(0o755)
    with pytest.raises(BrowserFailed, match="did not start"):
        async with open_page(chromium=Chromium(broken)):
            pass
    broken.unlink()
    with pytest.raises(BrowserMissing):
        async with open_page(chromium=Chromium(broken)):
            pass


async def test_a_profile_left_locked_by_a_dead_browser_is_opened(open_page: Open, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    async with open_page(profile) as first:
        await first.link()
    for holder in (f"another-machine-{os.getpid()}", f"{socket.gethostname()}-{2**22 + 1}"):
        (profile / "SingletonLock").symlink_to(holder)
        (profile / "SingletonCookie").symlink_to("1234")
        async with open_page(profile, phone=first.phone) as second:
            await second.hears(Ready)


async def test_a_profile_that_another_browser_has_open_is_left_to_it(open_page: Open, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    async with open_page(profile) as first:
        with pytest.raises(BrowserFailed, match=str(first.page.pid)):
            async with open_page(profile):
                pass
        assert (await first.call(State())).wa_js == "4.6.0"


async def test_a_pinned_version_is_read_from_its_stored_copy(open_page: Open, sim: Sim, tmp_path: Path) -> None:
    async with sim.http.get(sim.address) as answer:
        html = await answer.text()
    (tmp_path / "2.3000.1.html").write_text(html.replace("<head>", "<head><meta name='stored' content='yes'>", 1))
    async with open_page(version="2.3000.1", versions=tmp_path) as driven:
        # Chromium does not know where a stored document came from, and asks before it lets it talk to this machine.
        await driven.page._context.grant_permissions(["local-network-access"])
        await driven.hears(QrShown)
        assert await driven.page._page.evaluate("() => document.querySelector('meta[name=stored]')?.content") == "yes"


@pytest.mark.parametrize(
    "pinned",
    [
        {"version": "2.0"},
        {"version": "2.0", "versions": Path("/nowhere")},
        {"version": "../x", "versions": Path("/tmp")},
    ],
)
async def test_a_pinned_version_that_is_not_stored_is_named(open_page: Open, pinned: dict[str, Any]) -> None:
    with pytest.raises(BrowserFailed, match=r"2\.0|x"):
        async with open_page(**pinned):
            pass


async def test_wa_js_that_is_not_there_is_named(open_page: Open) -> None:
    with pytest.raises(BrowserFailed, match="npm ci"):
        async with open_page(wa_js=Path("/nowhere/wa.js")):
            pass


async def test_several_pages_can_be_opened_at_once(open_page: Open) -> None:
    async def shown() -> str:
        async with open_page() as driven:
            return (await driven.hears(QrShown, within=40)).code

    assert len(set(await asyncio.gather(*(shown() for _ in range(4))))) == 4
