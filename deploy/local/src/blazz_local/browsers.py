"""The browsers that webjs-bridge runs: one a session, each a tree of processes below the bridge's own."""

from dataclasses import dataclass

import psutil

_GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


@dataclass(frozen=True, slots=True)
class Browsers:
    """Those of one bridge."""

    pids: tuple[int, ...]
    """Their main processes, the oldest first: killing one kills its browser."""
    memory: int
    """Bytes of all their processes, as PSS: what they share is counted once."""

    @property
    def listed(self) -> str:
        """The oldest one's pid, for a table as narrow as a terminal; `…` stands for those of the others."""
        return " ".join([*map(str, self.pids[:1]), *(["…"] if len(self.pids) > 1 else [])])


def browsers_of(bridge: int) -> Browsers:
    """The browsers below this process; none when it is gone."""
    try:
        below = psutil.Process(bridge).children(recursive=True)
    except psutil.NoSuchProcess:
        return Browsers((), 0)
    main = sorted((process for process in below if _is_main(process)), key=_age)
    trees = {process for browser in main for process in [browser, *_children(browser)]}
    return Browsers(tuple(process.pid for process in main), sum(map(_memory, trees)))


def _is_main(process: psutil.Process) -> bool:
    """Chromium's main process has its profile in its command line; zygotes and renderers name their type, too."""
    try:
        # Chromium rewrites its command line into one string, by which it is still told apart.
        told = " ".join(process.cmdline())
    except _GONE:
        return False
    return "--user-data-dir=" in told and "--type=" not in told


def _age(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except _GONE:
        return 0.0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except _GONE:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except _GONE:
        return 0
