"""`up --detach` and `down`: a supervisor that goes on without a terminal, and its end."""

import contextlib
import os
import signal
import subprocess
import sys
import time

from blazz_local.atomic import read_json
from blazz_local.errors import AlreadyRunning, StartFailed
from blazz_local.folder import Folder
from blazz_local.foreground import ready_line
from blazz_local.lock import holder
from blazz_local.logs import cap
from blazz_local.process import end_strays

POLL_SECONDS = 0.1
STOP_SECONDS = 120.0
"""An ordered stop takes at most the sum of the graces; above this the supervisor itself hangs and is killed."""


def up(folder: Folder, *, until_pid: int | None = None) -> None:
    """Start a supervisor of its own session and return when the stack is ready. Raises a `LocalError`."""
    until = ["--until-pid", str(until_pid)] if until_pid else []
    folder.create()
    if (pid := holder(folder)) is not None:
        description = read_json(folder.stack_file)
        if not description:
            raise AlreadyRunning(f"a stack is just starting in {folder.path} (pid {pid}): make logs")
        print(ready_line(description), flush=True)
        return
    log = folder.log("supervisor")
    cap(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "blazz_local", "--folder", str(folder.path), "up", "--quiet", *until],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        start = output.tell()
    try:
        _wait(folder, process, start)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise


def _wait(folder: Folder, process: "subprocess.Popen[bytes]", start: int) -> None:
    log = folder.log("supervisor")
    with log.open("rb") as file:
        file.seek(start)
        said = ""
        while True:
            ended = process.poll() is not None
            ready = read_json(folder.stack_file).get("supervisor_pid") == process.pid
            if text := file.read().decode(errors="replace"):
                sys.stdout.write(text)
                sys.stdout.flush()
                # The line may have come in pieces, or before the description was there.
                said = (said + text)[-10_000:]
            if ended:
                raise StartFailed(f"the stack did not start (status {process.returncode}); all logs: {folder.logs}")
            if ready and "Blazz is ready" in said:
                return
            time.sleep(POLL_SECONDS)


def down(folder: Folder) -> None:
    """Stop the stack and wait until it is gone; clears away what a supervisor that was killed left behind."""
    pid = holder(folder)
    if pid is None:
        left = end_strays(folder.path, grace=10.0)
        folder.stack_file.unlink(missing_ok=True)
        print(f"cleared away {left} processes of a stack that was killed" if left else "nothing runs here")
        return
    print("stopping ...", flush=True)
    os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + STOP_SECONDS
    while holder(folder) is not None and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
    if holder(folder) is not None:
        print(f"it does not stop within {STOP_SECONDS:g} s and is killed; see {folder.log('supervisor')}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        end_strays(folder.path)
        folder.stack_file.unlink(missing_ok=True)
    print("stopped")
