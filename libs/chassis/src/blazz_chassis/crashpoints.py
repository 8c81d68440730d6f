"""Named places where a reliability test lets the process die, as `kill -9` would.

`BLAZZ_CRASH_POINT=name[:nth]` arms one from the start; `BLAZZ_CRASH_FILE=path` names a file with the same content that
is read again and again, so that a running stack can be armed; it is removed by who dies of it. Neither does anything
when `BLAZZ_ENV` is `production`.
"""

import os
import signal
import time
from pathlib import Path

_LOOK_EVERY = 0.05  # seconds between two looks at the control file

_counts: dict[str, int] = {}


class _Armed:
    def __init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        local = os.environ.get("BLAZZ_ENV", "production") != "production"
        self.point = os.environ.get("BLAZZ_CRASH_POINT") if local else None
        file = os.environ.get("BLAZZ_CRASH_FILE") if local else None
        self.file = Path(file) if file else None
        self.active = bool(self.point or self.file)
        self.looked = 0.0
        self.content: str | None = None

    def wanted(self) -> str | None:
        if self.file is None:
            return self.point
        now = time.monotonic()
        if now - self.looked >= _LOOK_EVERY:
            self.looked = now
            try:
                content: str | None = self.file.read_text().strip() or None
            except OSError:
                content = None
            if content != self.content:
                self.content = content
                _counts.clear()
        return self.content or self.point


_armed = _Armed()


def refresh() -> None:
    """Read the environment again (tests that set it in-process)."""
    _counts.clear()
    _armed.refresh()


def reach(name: str) -> None:
    """Die here when this point is armed and reached for the nth time; else do nothing, which costs one attribute."""
    if not _armed.active:
        return
    wanted = _armed.wanted()
    if wanted is None:
        return
    point, _, nth = wanted.partition(":")
    if point != name:
        return
    _counts[name] = _counts.get(name, 0) + 1
    if _counts[name] >= int(nth or 1):
        if _armed.file is not None and _armed.content is not None:
            # The control file is spent: whoever starts this process again must not die at the same place.
            _armed.file.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
