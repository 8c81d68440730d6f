"""What is kept when a page fails, for people to look into: picture, console and trace, with nobody's words in them."""

import asyncio
import contextlib
import itertools
import json
import re
import time
import zipfile
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from playwright.async_api import BrowserContext, ConsoleMessage, Error, Page

LINES = 500
"""Of the console, the last ones."""
KEEP = 20
"""Failures kept in a folder; older ones go."""
KEEP_SECONDS = 7 * 86_400.0
PICTURE_WITHIN = 5.0
"""Seconds; a frozen page has no picture."""
EVERY = 60.0
"""Seconds between two of one page: a page that fails every call fails for one reason."""
TRACE_SECONDS = 600.0
"""What a trace goes back; it is begun anew after that, for it grows on the disk while a page lives."""
WORDS = 4
"""First words of a console line: enough to know it again, and the site's own; what it talks of comes behind them."""

MASK = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    *, *::before, *::after, *::placeholder {
      -webkit-text-security: disc !important; background-image: none !important }
    img, picture, video, canvas, svg, iframe, object, embed { visibility: hidden !important }`);
  const cover = root => {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) cover(element.shadowRoot);
  };
  cover(document);
  globalThis.__blazzUncover = () => {
    const bare = root => {
      root.adoptedStyleSheets = root.adoptedStyleSheets.filter(each => each !== sheet);
      for (const element of root.querySelectorAll("*")) if (element.shadowRoot) bare(element.shadowRoot);
    };
    bare(document);
  };
  return getComputedStyle(document.body).webkitTextSecurity === "disc";
}"""
"""Every text becomes dots and every picture (the QR code is one) an empty place. Style sheets of script, for the site's
own policy refuses others."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z.,_/()\[\]-]*")

log = structlog.get_logger(__name__)


def masked_line(level: str, source: str, said: str) -> str:
    """A console line without what it may tell of people: level, source, and its first words up to the first odd one."""
    words = itertools.takewhile(_PLAIN.fullmatch, said.split()[:WORDS])
    file = urlsplit(source).path.rsplit("/", 1)[-1]
    return f"{level} {file[:80] or '-'} {' '.join(words)[:200]}".rstrip()


def masked_trace(lines: Iterable[str]) -> list[str]:
    """Of a Playwright trace what was done, when, and whether it failed: no arguments, results, snapshots, addresses."""
    kept: list[dict[str, Any]] = []
    for line in lines:
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        match event.get("type"):
            case "context-options":
                names = "version type origin browserName platform wallTime monotonicTime sdkLanguage"
                kept.append({**_only(event, names), "options": {}})
            case "before":
                kept.append({**_only(event, "type callId startTime class method pageId parentId"), "params": {}})
            case "after":
                failed = {"error": {"message": "failed"}} if event.get("error") else {}
                kept.append({**_only(event, "type callId endTime"), **failed})
    return [json.dumps(event) for event in kept]


def _only(event: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: event[name] for name in names.split() if name in event}


def prune(folder: Path, keep: int = KEEP, keep_seconds: float = KEEP_SECONDS) -> None:
    """Remove what is too old or too much; the files of one failure share their stem."""
    stems: dict[str, list[Path]] = {}
    for path in folder.glob("????????T??????*.*"):
        stems.setdefault(path.stem, []).append(path)
    oldest = time.time() - keep_seconds
    for number, stem in enumerate(sorted(stems, reverse=True)):
        if number >= keep or max(path.stat().st_mtime for path in stems[stem]) < oldest:
            for path in stems[stem]:
                path.unlink(missing_ok=True)


class Evidence:
    """What one page leaves behind when it fails."""

    def __init__(self, folder: Path, context: BrowserContext, page: Page, *, trace: bool = False) -> None:
        self._folder = folder
        self._context = context
        self._page = page
        self._trace = trace
        self._tracing = False
        self._renewing: asyncio.Task[None] | None = None
        self._lines: deque[str] = deque(maxlen=LINES)
        self._last = float("-inf")
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._lines.append(masked_line("uncaught", "", error.message)))

    async def begin(self) -> None:
        """Record a trace from now on, where that is wanted."""
        if self._trace:
            await self._context.tracing.start(screenshots=False, snapshots=False, sources=False)
            await self._context.tracing.start_chunk()
            self._tracing = True
            self._renewing = asyncio.ensure_future(self._renew())

    def end(self) -> None:
        """Record no more."""
        if self._renewing:
            self._renewing.cancel()

    async def keep(self, reason: str) -> Path | None:
        """Write down what there is. Returns the path of the console's lines, or None when one was kept just now.

        Never raises: a failure is being told already.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._last < EVERY:
            return None
        self._last = loop.time()
        stem = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{re.sub('[^a-z_]', '', reason)[:40]}"
        try:
            picture = await self._picture()
            path = await asyncio.to_thread(self._write, stem, picture)
            if self._tracing:
                await self._write_trace(stem)
        except Exception:
            log.exception("page_evidence_not_kept", reason=reason)
            return None
        log.info("page_evidence_kept", reason=reason, path=str(path))
        return path

    async def _renew(self) -> None:
        with contextlib.suppress(Error):
            while True:
                await asyncio.sleep(TRACE_SECONDS)
                await self._context.tracing.stop_chunk()
                await self._context.tracing.start_chunk()

    def _heard(self, message: ConsoleMessage) -> None:
        self._lines.append(masked_line(message.type, message.location.get("url", ""), message.text))

    async def _picture(self) -> bytes | None:
        try:
            async with asyncio.timeout(PICTURE_WITHIN):
                if await self._page.evaluate(MASK) is not True:
                    return None  # no picture rather than one with words in it
                try:
                    return await self._page.screenshot(type="png", animations="disabled", timeout=PICTURE_WITHIN * 1000)
                finally:
                    await self._page.evaluate("() => globalThis.__blazzUncover?.()")
        except (Error, TimeoutError):
            return None

    def _write(self, stem: str, picture: bytes | None) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{stem}.log"
        path.write_text("\n".join([*self._lines, ""]))
        if picture:
            path.with_suffix(".png").write_bytes(picture)
        prune(self._folder)
        return path

    async def _write_trace(self, stem: str) -> None:
        raw = self._folder / f".{stem}.raw"
        try:
            with contextlib.suppress(Error):
                await self._context.tracing.stop_chunk(path=raw)
                await asyncio.to_thread(_mask_trace_file, raw, self._folder / f"{stem}.zip")
                await self._context.tracing.start_chunk()
        finally:
            raw.unlink(missing_ok=True)


def _mask_trace_file(raw: Path, target: Path) -> None:
    half = target.with_suffix(".part")
    with zipfile.ZipFile(raw) as full, zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as masked:
        for name in full.namelist():
            if name.endswith(".trace"):
                masked.writestr(name, "\n".join(masked_trace(full.read(name).decode(errors="replace").splitlines())))
    half.replace(target)
