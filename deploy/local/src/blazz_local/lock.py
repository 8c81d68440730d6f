"""One supervisor a folder: a lock on a file that the kernel lets go of when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from blazz_local.errors import AlreadyRunning
from blazz_local.folder import Folder


@contextmanager
def held(folder: Folder) -> Iterator[None]:
    """Hold the folder's lock; the file has the holder's pid. Raises `AlreadyRunning`."""
    folder.create()
    with folder.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"something runs in {folder.path} already (pid {holder(folder)}): make status, make down"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def holder(folder: Folder) -> int | None:
    """The pid of the supervisor at work in the folder; None when there is none."""
    try:
        with folder.lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text else None
    except FileNotFoundError:
        pass
    return None
