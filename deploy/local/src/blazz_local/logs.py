"""Log files of the processes: capped, followed with a coloured name, and quoted when something fails."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from blazz_local.databases import SERVICES
from blazz_local.errors import NoSuchProcess
from blazz_local.folder import Folder
from blazz_local.services import SIMULATOR

CAP_BYTES = 10_000_000
"""Above this a log is moved aside to `.1` (one generation), so that a stack left running for days fills no disk."""

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


PROCESSES = ("rabbitmq", "postgres", SIMULATOR, *SERVICES)
"""What a stack runs, in the order of its start."""


def logs_of(folder: Folder, names: Iterable[str]) -> list[Path]:
    """The logs of these processes, of all that have one when none is named. Raises `NoSuchProcess`."""
    written = sorted(log.stem for log in folder.logs.glob("*.log"))
    # One that runs may have said nothing yet.
    known = [*PROCESSES, *(name for name in written if name not in PROCESSES)]
    wanted = list(names) or written
    if strange := [name for name in wanted if name not in known]:
        raise NoSuchProcess(f"no {', '.join(strange)}; there are: {', '.join(known)}")
    return [folder.log(name) for name in wanted]


def cap(log: Path, limit: int = CAP_BYTES) -> None:
    """Copy a log that grew over the limit to `.1` and empty it in place: its process keeps its open file (O_APPEND)."""
    try:
        if log.stat().st_size <= limit:
            return
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
    except FileNotFoundError:
        return


def last_lines(log: Path, count: int = 20) -> str:
    """The end of a log, for a message about what went wrong."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64_000))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])


class Follower:
    """Prints what is appended to several logs, each line after its process's name."""

    def __init__(self, logs: Iterable[Path], *, out: TextIO = sys.stdout, from_start: bool = False) -> None:
        self._out = out
        self._colour = out.isatty() and "NO_COLOR" not in os.environ
        self._from_start = from_start
        self._offsets: dict[Path, int] = {}
        self._rest: dict[Path, bytes] = {}
        self.width = 16
        for log in logs:
            self.add(log)

    def add(self, log: Path) -> None:
        """Follow one more log, from its present end on (from its beginning when asked so)."""
        size = log.stat().st_size if log.exists() else 0
        self._offsets.setdefault(log, 0 if self._from_start else size)

    def poll(self) -> bool:
        """Print what came since the last call; True when there was something."""
        printed = False
        for index, log in enumerate(self._offsets):
            for line in self._new_lines(log):
                printed = True
                self._out.write(f"{self._name(log.stem, index)} {line}\n")
        if printed:
            self._out.flush()
        return printed

    def _new_lines(self, log: Path) -> list[str]:
        try:
            with log.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                offset = self._offsets[log]
                if size < offset:  # it was capped
                    offset = 0
                file.seek(offset)
                content = file.read()
        except FileNotFoundError:
            return []
        self._offsets[log] = offset + len(content)
        *lines, rest = (self._rest.pop(log, b"") + content).split(b"\n")
        if rest:
            self._rest[log] = rest
        return [line.decode(errors="replace") for line in lines]

    def _name(self, name: str, index: int) -> str:
        text = f"{name:<{self.width}} |"
        return f"\x1b[{_COLOURS[index % len(_COLOURS)]}m{text}\x1b[0m" if self._colour else text
