"""When a session's browser must be opened anew, and how long to wait before. Pure."""

from dataclasses import dataclass

_STEADY = 60.0  # seconds ready after which earlier restarts are forgotten


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a page must be opened anew. `counted`: as a failure, after which the next one waits longer."""

    cause: str
    counted: bool = True


@dataclass(slots=True)
class Watchdog:
    """What is seen of one session's page. Times are of a monotonic clock, in seconds."""

    frozen: float
    """A page that is silent for so long is frozen."""
    memory_limit: int
    """Bytes; over it, a page is opened anew when it is idle."""
    first: float
    cap: float
    heard_at: float = 0.0
    ready_since: float | None = None
    restarts: int = 0

    def opened(self, now: float) -> None:
        """The page is there."""
        self.heard_at = now
        self.ready_since = None

    def heard(self, now: float) -> None:
        """The page gave a sign of life."""
        self.heard_at = now

    def ready(self, now: float) -> None:
        """Messages come and go."""
        self.ready_since = self.ready_since or now

    def unready(self) -> None:
        """They do not any more."""
        self.ready_since = None

    def complaint(self, now: float, *, memory: int | None, idle: bool) -> Complaint | None:
        """Why the page must be opened anew, if it must."""
        if now - self.heard_at > self.frozen:
            return Complaint("the page gave no sign of life")
        if memory is not None and memory > self.memory_limit and idle:
            return Complaint("the browser held too much memory", counted=False)
        return None

    def pause(self, now: float, *, counted: bool) -> float:
        """Note that the page has ended; returns how long to wait before it is opened again, grown with each in vain."""
        if self.ready_since is not None and now - self.ready_since > _STEADY:
            self.restarts = 0
        self.ready_since = None
        if not counted:
            return 0.0
        self.restarts += 1
        return float(min(self.cap, self.first * 2 ** (self.restarts - 1)))
