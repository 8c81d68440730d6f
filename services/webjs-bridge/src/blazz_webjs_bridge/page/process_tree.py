"""A browser's processes: what they weigh, when they end, and their end by force."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import psutil

POLL = 1.0
"""Seconds, where the kernel tells nobody of a process's end."""
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, ProcessLookupError, FileNotFoundError)


class ProcessTree:
    """The main process of a browser and all its children (zygotes, renderers, network, storage)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._root = psutil.Process(pid)

    def memory(self) -> int:
        """Bytes, as PSS: what processes share (Chromium's own code, mostly) is counted once. 0 when all are gone."""
        return sum(_pss(process) for process in self._processes())

    def cpu(self) -> float:
        """Seconds of CPU used until now, those of children that have ended included."""
        used = 0.0
        for process in self._processes():
            with contextlib.suppress(*GONE):
                times = process.cpu_times()
                used += times.user + times.system + times.children_user + times.children_system
        return used

    def kill(self) -> None:
        """SIGKILL to all of them; children first known, so that none is left without its parent."""
        for process in self._processes():
            with contextlib.suppress(*GONE):
                process.kill()

    async def wait_ended(self) -> None:
        """Return when the main process is no more. It is another's child, so its pid is watched, not waited for."""
        loop = asyncio.get_running_loop()
        try:
            watched = os.pidfd_open(self.pid, 0)
        except ProcessLookupError:
            return
        except OSError:  # a kernel before 5.3, or a sandbox without it
            while psutil.pid_exists(self.pid):  # noqa: ASYNC110
                await asyncio.sleep(POLL)
            return
        ended: asyncio.Future[None] = loop.create_future()
        loop.add_reader(watched, _settle, ended)
        try:
            await ended
        finally:
            loop.remove_reader(watched)
            os.close(watched)

    def _processes(self) -> list[psutil.Process]:
        with contextlib.suppress(*GONE):
            return [self._root, *self._root.children(recursive=True)]
        return []


def _settle(ended: "asyncio.Future[None]") -> None:
    if not ended.done():
        ended.set_result(None)


def kill_of_profile(profile: Path) -> int:
    """Kill whatever browser runs on a profile, such as one whose launch was given up. Returns how many processes.

    Chromium's zygotes have the profile in their command line; renderers go with the main process.
    """
    asked = f"--user-data-dir={profile}"
    killed = 0
    for process in psutil.process_iter():
        with contextlib.suppress(*GONE):
            if asked in process.cmdline():
                process.send_signal(signal.SIGKILL)
                killed += 1
    return killed


def _pss(process: psutil.Process) -> int:
    with contextlib.suppress(*GONE, PermissionError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(*GONE):
        return int(process.memory_info().rss)  # where the kernel does not let us look closer
    return 0
