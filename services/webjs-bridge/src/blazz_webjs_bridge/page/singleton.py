"""Chromium's lock on a profile: `SingletonLock` is a link to `{host}-{pid}` of who has it open.

A browser that was killed, or ran on another machine, leaves it behind, and the next one then refuses to start.
"""

import contextlib
import os
import socket
from pathlib import Path

from blazz_webjs_bridge.page.errors import BrowserFailed

NAMES = ("SingletonLock", "SingletonCookie", "SingletonSocket")


def holder(profile: Path) -> int | None:
    """The process of this machine that has the profile open, if one has.

    The lock of another machine is stale by what the caller holds: a lease on the session.
    """
    try:
        host, _, pid = os.readlink(profile / "SingletonLock").rpartition("-")
    except OSError:
        return None
    if host != socket.gethostname() or not pid.isdigit():
        return None
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    # The pid may be somebody else's by now: the holder has the profile in its command line.
    asked = [part.partition(b"=")[2] for part in command if part.startswith(b"--user-data-dir=")]
    return int(pid) if any(Path(os.fsdecode(path)).resolve() == profile.resolve() for path in asked) else None


def clear(profile: Path) -> None:
    """Take a stale lock away. Raises `BrowserFailed` when a live browser of this machine has the profile open."""
    if pid := holder(profile):
        raise BrowserFailed(f"The profile {profile} is open in another browser of this machine, process {pid}.")
    for name in NAMES:
        with contextlib.suppress(FileNotFoundError):
            (profile / name).unlink()
