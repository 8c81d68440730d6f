"""A child process that cannot outlive the one that started it."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

MARK = "BLAZZ_STACK_FOLDER"
"""Environment variable that every child carries: the folder of its stack. `strays` finds by it what a crash left."""


def bound_to_parent(death_signal: signal.Signals) -> list[str]:
    """The command prefix that has the kernel send the signal when the parent dies (PR_SET_PDEATHSIG).

    `setpriv` (util-linux, on every Debian) becomes the program it starts, so the pid stays. A `preexec_fn` would do
    the same, but is unsafe in a process with threads, which a test run is.
    """
    return ["setpriv", "--pdeathsig", death_signal.name.removeprefix("SIG"), "--"]


class Process:
    """A running child: its own session, its output appended to a log file, bound to die with its parent.

    The output goes straight to the file, not through a pipe, so that a child never waits for its supervisor and the
    last lines before a crash are there to read.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*bound_to_parent(death_signal), *command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        """The process id; also the id of its process group."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    def send(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.running:
            self._popen.send_signal(number)

    async def wait(self) -> int:
        """Wait until it has ended; returns the exit status at once when it does."""
        if self._popen.poll() is None:
            loop = asyncio.get_running_loop()
            ended: asyncio.Future[None] = loop.create_future()

            def set_ended() -> None:
                if not ended.done():
                    ended.set_result(None)

            handle = os.pidfd_open(self._popen.pid)
            loop.add_reader(handle, set_ended)
            try:
                await ended
            finally:
                loop.remove_reader(handle)
                os.close(handle)
        return self._popen.wait()

    async def stop(self, number: int = signal.SIGTERM, *, grace: float = 10.0) -> None:
        """Ask it to end, and end it and its whole group when it has not after `grace` seconds."""
        self.send(number)
        try:
            async with asyncio.timeout(grace):
                await self.wait()
        except TimeoutError:
            pass
        self._kill_group()
        await self.wait()

    def kill(self) -> None:
        """End it without a chance to clean up (SIGKILL)."""
        self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def strays(folder: Path) -> list[int]:
    """Processes of a stack that are there though nobody supervises them.

    Known by the mark in their environment, or because they are PostgreSQL's and work in the folder.
    """
    found = []
    mark = f"{MARK}={folder}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            marked = mark in (entry / "environ").read_bytes().split(b"\0")
            inside = Path(os.readlink(entry / "cwd")) in (folder, folder / "postgres")
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        # PostgreSQL's backends overwrite their environment with their title, but stay in the data folder.
        if marked or (inside and command.startswith(b"postgres:")):
            found.append(int(entry.name))
    return found


def end_strays(folder: Path, *, grace: float = 5.0) -> int:
    """End what `strays` finds, politely first; returns how many there were."""
    first = strays(folder)
    for pid in first:
        _signal(pid, signal.SIGTERM)
    limit = time.monotonic() + grace
    while (left := strays(folder)) and time.monotonic() < limit:
        time.sleep(0.05)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    return len(first)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
