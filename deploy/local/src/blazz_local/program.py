"""What the supervisor runs: a command with everything needed to start it, tell that it serves, and stop it."""

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Check = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Program:
    """One supervised program."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    ready: Check
    """True once it serves; may raise OSError while it does not."""
    url: str | None = None
    """Where it serves, if it is of use to people."""
    ready_within: float = 30.0
    """Seconds it may take from start to ready before that counts as a failure."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace: float = 20.0
    """Seconds it has to finish what it holds before it is killed."""
    death_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when the supervisor dies."""
    before_start: Callable[[], None] | None = None
    """Clears away what a crash of the same program left behind."""
    after_kill: Callable[[], None] | None = None
    """Ends what does not die with the process (a container)."""
