"""Files into the page and out of it, by reference: the browser reads and writes them, nothing goes through JSON."""

import asyncio
import contextlib
import os
import secrets
from pathlib import Path

from playwright.async_api import Download, Error, Page

from blazz_webjs_bridge.page.errors import PageGarbled, PageRefused

FILE_LIMIT = 100_000_000
"""Bytes of a file that is sent: what WhatsApp takes of a document from most accounts."""


class Transfer:
    """The files of one page under way. `folder` is the one the browser downloads into."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = folder
        self._expected: dict[str, asyncio.Future[Download]] = {}
        page.on("download", self._began)

    async def hand_over(self, path: Path) -> str:
        """Give the page a file; returns the token by which the script finds it. Raises `PageRefused`."""
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
        except OSError as error:
            raise PageRefused("file_missing", f"The file is not there: {error.strerror}") from error
        if size > FILE_LIMIT:
            raise PageRefused("file_too_large", f"The file has {size} bytes; WhatsApp Web takes {FILE_LIMIT}.")
        token = secrets.token_hex(8)
        handle = await self._page.evaluate_handle("token => window.__blazz?.slot(token)", token)
        element = handle.as_element()
        if element is None:
            raise PageGarbled("The page has no place for a file: our script is not in it.")
        try:
            await element.set_input_files(path)
        finally:
            await handle.dispose()
        return token

    def expect(self) -> str:
        """A token for a download that the page is about to be asked for."""
        token = secrets.token_hex(8)
        self._expected[token] = asyncio.get_running_loop().create_future()
        return token

    def forget(self, token: str) -> None:
        """Nobody waits for that download any more; should it come, its file goes."""
        if future := self._expected.pop(token, None):
            future.cancel()

    async def received(self, token: str, limit: int) -> Path:
        """Wait until the browser has written a download; returns its file. Raises `PageRefused` if it is too large."""
        download = await self._expected[token]
        try:
            written = Path(await download.path())
        except Error as error:
            raise PageRefused("download_failed", "The browser could not write the file.") from error
        size = (await asyncio.to_thread(written.stat)).st_size
        if size > limit:
            await download.delete()
            raise PageRefused("file_too_large", f"The file has {size} bytes, more than {limit}.")
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / token
        os.replace(written, target)  # the browser's own copy goes when it closes
        return target

    def _began(self, download: Download) -> None:
        token = download.suggested_filename.split(".")[0]  # Chromium puts an ending behind it
        future = self._expected.get(token)
        if future and not future.done():
            future.set_result(download)
        else:
            task = asyncio.ensure_future(_discard(download))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _discard(download: Download) -> None:
    with contextlib.suppress(Error):
        await download.cancel()
        await download.delete()
