"""The public websocket clients (pusher-js, laravel-echo, pusher) in Node, driven by `js/driver.mjs`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from blazz_local import npm

from tests.support.polling import until

PACKAGES = Path(__file__).parents[1] / "integration" / "notifier" / "js"


class PusherJs:
    """The driver in Node, and what it has told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.told.append(json.loads(line))

    async def command(self, command: str, **arguments: Any) -> None:
        """Give the driver one command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"command": command, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()

    def all(self, **expected: Any) -> list[dict[str, Any]]:
        """What it told that has these properties, in the order in which it came."""
        return [each for each in self.told if expected.items() <= each.items()]

    def events(self, name: str) -> list[Any]:
        """Data of the events of this name."""
        return [each["data"] for each in self.all(what="event", event=name)]

    async def wait(self, *, count: int = 1, within: float = 15, **expected: Any) -> dict[str, Any]:
        """The `count`th thing told that has these properties."""

        def found() -> bool:
            assert not self._reader.done(), "the driver in Node has ended; see its errors above"
            return len(self.all(**expected)) >= count

        what = f"something like {expected} (number {count})"
        try:
            await until(found, within, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; there was {self.told}") from None
        return self.all(**expected)[count - 1]

    async def stop(self) -> None:
        """End the driver."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reader


@asynccontextmanager
async def pusher_js() -> AsyncIterator[PusherJs]:
    """The driver, ready for commands; its packages are installed where they are not."""
    await asyncio.to_thread(npm.install, PACKAGES)
    process = await asyncio.create_subprocess_exec(
        npm.NODE, PACKAGES / "driver.mjs", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=PACKAGES
    )
    driver = PusherJs(process)
    try:
        await driver.wait(what="ready")
        yield driver
    finally:
        await driver.stop()
