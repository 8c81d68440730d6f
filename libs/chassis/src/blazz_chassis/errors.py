"""Errors that carry what a caller needs: a stable code, a sentence for people, an HTTP status.

BlazzError
├── Invalid 422 · Unauthorized 401 · Forbidden 403 · NotFound 404 · Conflict 409
├── TooSlow 408 · TooLarge 413 · TooMany 429
├── Permanent          (in a consumer: straight to `.dead`)
│   └── MessageTooLarge 413
├── Unroutable 500     (a command that no queue takes)
└── Unavailable 503
    ├── DatabaseBusy
    └── DependencyDown (in a consumer: pause, no try burned)
        ├── BrokerUnavailable
        ├── DatabaseUnavailable
        └── DatabaseLocked (a DatabaseBusy, too)
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Probe = Callable[[], Awaitable[object]]
"""Asks a dependency whether it answers; raises while it does not."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; `field` is a dotted path (`to.phone`)."""

    field: str
    message: str


class BlazzError(Exception):
    """Something went wrong that a person can be told about.

    A subclass sets `code`, `title` and `status`; what differs from case to case is handed in.
    `detail` says in one sentence what happened and what to do. `retry_after` is in seconds.
    """

    code: str = "internal"
    title: str = "Internal error"
    status: int = 500

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        title: str | None = None,
        status: int | None = None,
        field: str | None = None,
        retry_after: float | None = None,
        errors: list[FieldError] | None = None,
    ) -> None:
        self.code = code or self.code
        self.title = title or self.title
        self.status = status or self.status
        self.detail = detail or self.title
        self.retry_after = retry_after
        self.errors = list(errors or [])
        if field is not None:
            self.errors.insert(0, FieldError(field, self.detail))
        super().__init__(self.detail)

    @property
    def field(self) -> str | None:
        """The first field that is wrong, if any."""
        return self.errors[0].field if self.errors else None


class Invalid(BlazzError):
    """The request is well-formed, and its content is not acceptable."""

    code, title, status = "invalid", "The request is not valid", 422


class Unauthorized(BlazzError):
    """Nobody knows who asks: the credentials are missing, wrong, expired or revoked."""

    code, title, status = "unauthorized", "Log in, or send a valid token", 401


class Forbidden(BlazzError):
    """We know who asks, and they may not."""

    code, title, status = "forbidden", "You may not do this", 403


class NotFound(BlazzError):
    """There is no such thing in this workspace."""

    code, title, status = "not_found", "There is no such thing", 404


class Conflict(BlazzError):
    """It contradicts what is there already, or is in flight."""

    code, title, status = "conflict", "It contradicts what is there already", 409


class TooLarge(BlazzError):
    """The body is larger than this route takes."""

    code, title, status = "too_large", "The request is too large", 413


class TooSlow(BlazzError):
    """The body did not come in within its time."""

    code, title, status = "too_slow", "The request came too slowly", 408


class TooMany(BlazzError):
    """A rate limit is used up; `retry_after` says for how long."""

    code, title, status = "too_many_requests", "Too many requests", 429


class Unavailable(BlazzError):
    """We cannot do it now. Asking again later is right (what is asked under a key happens once)."""

    code, title, status = "unavailable", "The service is not available right now; try again", 503

    def __init__(self, detail: str | None = None, *, retry_after: float | None = 2.0, **more: object) -> None:
        super().__init__(detail, retry_after=retry_after, **more)  # type: ignore[arg-type]


class DependencyDown(Unavailable):
    """Something we depend on does not answer.

    In a consumer it pauses consumption and burns no try; `probe` is asked until it returns, and when there is none the
    handler itself is tried again with backoff.
    """

    code, title = "dependency_down", "A part this service depends on does not answer; try again"
    probe: Probe | None = None

    def __init__(self, detail: str | None = None, *, probe: Probe | None = None, **more: object) -> None:
        super().__init__(detail, **more)  # type: ignore[arg-type]
        if probe is not None:
            self.probe = probe


class BrokerUnavailable(DependencyDown):
    """RabbitMQ is away, blocked (memory or disk alarm), or did not confirm in time. It may have taken the message."""

    code, title = "broker_unavailable", "The message broker does not answer; try again"


class DatabaseUnavailable(DependencyDown):
    """PostgreSQL is away, restarting, or has no connection to spare."""

    code, title = "database_unavailable", "The database does not answer; try again"


class DatabaseBusy(Unavailable):
    """A statement ran into its time limit, or (`DatabaseLocked`) a lock could not be had in time."""

    code, title = "database_busy", "The database is busy; try again"


class DatabaseLocked(DatabaseBusy, DependencyDown):
    """A lock could not be had in time: somebody else (a migration, a long list) holds it.

    So it is no fault of the message that waits for it. A statement that merely takes too long may be: half as much at
    once may help, and one that never gets through must not stop the others.
    """


class Unroutable(BlazzError):
    """No queue is bound for a command: its receiver was never deployed here, or the topology is not declared."""

    code, title, status = "unroutable", "Nobody takes this command", 503

    def __init__(self, detail: str | None = None, *, retry_after: float | None = 30.0) -> None:
        super().__init__(detail, retry_after=retry_after)


class Permanent(BlazzError):
    """A message that will fail however often it is tried: it goes to `.dead` at once, with this reason."""

    code, title = "permanent", "This can never succeed"


class MessageTooLarge(Permanent):
    """A message that we do not publish: a broker that refuses it would close the channel that all publish on."""

    code, title, status = "message_too_large", "What is to be told is too large for one message", 413


class SettingsMissing(BlazzError):
    """A setting this command needs is not set; the sentence names the environment variables."""

    code, title = "settings_missing", "A setting is missing"
