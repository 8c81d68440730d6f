"""WhatsApp Web open in a browser of its own: asked by calls, telling facts, and gone at some time."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from playwright.async_api import BrowserContext, Error, Frame, Page, Playwright

from blazz_webjs_bridge.page import protocol
from blazz_webjs_bridge.page.calls import Call, Download, Send
from blazz_webjs_bridge.page.chromium import Chromium, masked_identity
from blazz_webjs_bridge.page.contract import CHECK, asked
from blazz_webjs_bridge.page.errors import BrowserFailed, PageError, PageGarbled, PageGone, PageTimeout
from blazz_webjs_bridge.page.evidence import Evidence
from blazz_webjs_bridge.page.fact_reader import FactReader
from blazz_webjs_bridge.page.facts import Fact
from blazz_webjs_bridge.page.gate import Gate, origin, stored_copy
from blazz_webjs_bridge.page.launch import launch, main_process
from blazz_webjs_bridge.page.process_tree import ProcessTree, kill_of_profile
from blazz_webjs_bridge.page.script_source import TELL, settings, source
from blazz_webjs_bridge.page.transfer import Transfer

A = TypeVar("A")

LOAD_WITHIN = 60.0
"""Seconds until the site has answered; its own loading goes on behind that, and is told by facts."""
KILL_WITHIN = 5.0
"""Seconds for Playwright to notice that a browser it drove is dead."""
DOWNLOADS = Path(tempfile.gettempdir()) / "blazz-web-downloads"

log = structlog.get_logger(__name__)


class WebPage:
    """One page. Made by `open`, ended by `close` or `kill`; when it ends by itself, `gone` says why."""

    def __init__(self, context: BrowserContext, profile: Path, address: str, on_fact: Callable[[Fact], None]) -> None:
        self._context = context
        self._page: Page = context.pages[0]
        self._profile = profile
        self._origin = origin(address)
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tree: ProcessTree | None = None
        self._watch: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._transfer: Transfer | None = None
        self.facts = FactReader(on_fact)
        """Reads what the page tells, and counts what it could not read."""
        self.evidence: Evidence | None = None

    @classmethod
    async def open(
        cls,
        *,
        playwright: Playwright,
        chromium: Chromium,
        profile: Path,
        address: str,
        wa_js: Path,
        on_fact: Callable[[Fact], None],
        version: str | None = None,
        versions: Path | None = None,
        evidence: Path | None = None,
        trace: bool = False,
        downloads: Path = DOWNLOADS,
    ) -> "WebPage":
        """Open `address` in a browser with this profile, with wa-js (the bundle at `wa_js`) and our script in it.

        `version` pins WhatsApp Web's version to `{versions}/{version}.html`; without it the site's own is used.
        `evidence` is a folder for what failures leave (with `trace`, a trace too); `Download` writes into `downloads`.
        Raises `BrowserMissing` and `BrowserFailed`, and leaves nothing running then.
        """
        html = await asyncio.to_thread(stored_copy, version, versions) if version else None
        if not await asyncio.to_thread(wa_js.is_file):
            raise BrowserFailed(f"wa-js is not at {wa_js}: `npm ci` in services/webjs-bridge/js brings it.")
        # A stored page must not be shadowed by the one that the site's service worker keeps.
        context = await launch(playwright, chromium, profile, downloads, service_workers=html is None)
        page = cls(context, profile, address, on_fact)
        try:
            async with asyncio.timeout(LOAD_WITHIN):
                await page._dress(await chromium.version(), address, html, wa_js, evidence, downloads, trace=trace)
                await page._load(address)
        except BaseException as error:
            if page.evidence and isinstance(error, (Error, TimeoutError, BrowserFailed)):
                await page.evidence.keep("open_failed")
            await page.kill()
            if isinstance(error, TimeoutError):
                raise BrowserFailed(f"{address} did not load within {LOAD_WITHIN:.0f} s.") from None
            if isinstance(error, Error):
                raise BrowserFailed(f"{address} did not load: {error.message.splitlines()[0][:300]}") from error
            raise
        return page

    @property
    def gone(self) -> "asyncio.Future[str]":
        """Await it for the page's end; its result is the cause: `page_crashed`, `browser_closed`, `navigated_away`.

        Each time another future, which may be cancelled without harm.
        """
        return asyncio.shield(self._ended)

    @property
    def cause(self) -> str | None:
        """Why the page is gone; None while it lives."""
        return self._ended.result() if self._ended.done() else None

    @property
    def pid(self) -> int:
        """The browser's main process."""
        return self._processes.pid

    async def memory(self) -> int:
        """Bytes of all the browser's processes, as PSS."""
        return await asyncio.to_thread(self._processes.memory)

    async def cpu(self) -> float:
        """Seconds of CPU that the browser has used."""
        return await asyncio.to_thread(self._processes.cpu)

    async def call(self, call: Call[A], *, within: float | None = None) -> A:
        """Ask the page. `within` seconds (the call's own limit by default) it answers, or this raises.

        Raises `PageTimeout`, `PageGone`, `PageGarbled`, `PageRefused`.
        """
        limit = call.within if within is None else within
        if self._ended.done():
            raise PageGone(f"WhatsApp Web is gone: {self._ended.result()}.")
        asking = asyncio.ensure_future(self._ask(call, limit))
        try:
            waited: set[asyncio.Future[Any]] = {asking, self._ended}
            await asyncio.wait(waited, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            if self._ended.done():
                raise PageGone(f"WhatsApp Web went away while `{call.name}` was asked: {self._ended.result()}.")
            raise PageTimeout(f"`{call.name}` was not answered within {limit:g} s.")
        except (PageTimeout, PageGarbled) as error:
            self._keep_evidence(error.code)
            raise
        finally:
            if not asking.done():
                asking.cancel()
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def broken(self) -> list[str]:
        """What of the contract with wa-js does not hold in this page, which must be linked; in sentences for people."""
        found: list[str] = await self._page.evaluate(CHECK, asked())
        return found

    async def close(self, *, within: float = 10) -> None:
        """End the browser in its own time, so that the profile on the disk is whole; after that, by force."""
        with contextlib.suppress(Error, TimeoutError):
            await asyncio.wait_for(self._context.close(), within)
        await self.kill()

    async def kill(self) -> None:
        """End the browser by force."""
        if self._tree:
            await asyncio.to_thread(self._tree.kill)
        else:
            await asyncio.to_thread(kill_of_profile, self._profile)
        self._end("browser_closed")
        with contextlib.suppress(Error, TimeoutError):
            await asyncio.wait_for(self._context.close(), KILL_WITHIN)
        if self._watch:
            self._watch.cancel()
        if self.evidence:
            self.evidence.end()
        for task in self._background:
            task.cancel()

    # How it is made

    async def _dress(
        self,
        version: str,
        address: str,
        html: bytes | None,
        wa_js: Path,
        evidence: Path | None,
        downloads: Path,
        *,
        trace: bool,
    ) -> None:
        page, context = self._page, self._context
        self._tree = ProcessTree(await main_process(context, self._profile))
        self._watch = asyncio.ensure_future(self._watch_process(self._tree))
        page.on("crash", lambda _: self._end("page_crashed"))
        page.on("close", lambda _: self._end("browser_closed"))
        page.on("framenavigated", self._navigated)
        context.on("close", lambda _: self._end("browser_closed"))
        context.on("page", lambda other: self._run(_shut(other)))
        self._transfer = Transfer(page, downloads)
        if evidence:
            self.evidence = Evidence(evidence, context, page, trace=trace)
            await self.evidence.begin()
        cdp = await context.new_cdp_session(page)
        await cdp.send("Emulation.setUserAgentOverride", masked_identity(version))
        await Gate(cdp, address, html).close_in()
        await context.expose_binding(TELL, lambda _, batch: self.facts.take(batch))
        # In one script: the order of several is not defined (https://playwright.dev/python/docs/api/class-page).
        bundle = await asyncio.to_thread(wa_js.read_text)
        await context.add_init_script(script=";\n".join([settings(), bundle, source(self._origin)]))

    async def _load(self, address: str) -> None:
        response = await self._page.goto(address, wait_until="commit", timeout=LOAD_WITHIN * 1000)
        if response is not None and response.status >= 400:
            raise BrowserFailed(f"{address} answered {response.status}.")

    # How it is asked

    async def _ask(self, call: Call[A], limit: float) -> A:
        try:
            if isinstance(call, Download):
                return await self._download(call, limit)  # type: ignore[return-value]
            file = None
            if isinstance(call, Send) and call.path is not None:
                file = await self._files.hand_over(call.path)
            raw = await self._page.evaluate(protocol.ASK, protocol.arguments(call, limit, file))
        except Error as error:
            if call.reloads and _reloaded(error):
                return None  # type: ignore[return-value]
            raise _gone(error, call) from error
        return protocol.read(raw, call)

    async def _download(self, call: Download, limit: float) -> Path:
        token = self._files.expect()
        try:
            name, args, within = protocol.arguments(call, limit)
            protocol.answered(await self._page.evaluate(protocol.ASK, [name, {**args, "token": token}, within]), call)
            return await self._files.received(token, call.limit)
        finally:
            self._files.forget(token)

    @property
    def _files(self) -> Transfer:
        assert self._transfer is not None
        return self._transfer

    @property
    def _processes(self) -> ProcessTree:
        assert self._tree is not None
        return self._tree

    # How it ends

    async def _watch_process(self, tree: ProcessTree) -> None:
        await tree.wait_ended()
        self._end("browser_closed")

    def _navigated(self, frame: Frame) -> None:
        if frame.parent_frame is None and frame.url != "about:blank" and not frame.url.startswith(f"{self._origin}/"):
            self._end("navigated_away")

    def _end(self, cause: str) -> None:
        if not self._ended.done():
            log.info("page_gone", cause=cause)
            self._ended.set_result(cause)
            if cause != "browser_closed":
                self._keep_evidence(cause)

    def _keep_evidence(self, reason: str) -> None:
        if self.evidence:
            self._run(self.evidence.keep(reason))

    def _run(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _shut(other: Page) -> None:
    """WhatsApp Web opens nothing that we need in a second window."""
    with contextlib.suppress(Error):
        await other.close()


def _reloaded(error: Error) -> bool:
    return "Execution context was destroyed" in error.message or "navigat" in error.message


def _gone(error: Error, call: Call[Any]) -> PageError:
    why = "it was loaded anew" if _reloaded(error) else error.message.splitlines()[0][:200]
    return PageGone(f"WhatsApp Web went away while `{call.name}` was asked: {why}.")
