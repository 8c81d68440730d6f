"""What can go wrong with the local stack.

::

    LocalError
    ├── ServerMissing     no way to a RabbitMQ or a PostgreSQL on this machine
    ├── StartFailed       a process ended or was not ready in time
    ├── AlreadyRunning    another supervisor holds this folder
    ├── NotRunning        there is no stack to speak to
    ├── NoSuchProcess     the stack runs no process of this name
    └── SeedFailed        the demo could not be created

Each has a stable `code` and a sentence that says what to do; there is no HTTP here, so there is no HTTP status.
"""


class LocalError(Exception):
    """The root: everything this package raises on purpose."""

    code = "local_error"


class ServerMissing(LocalError):
    """A server is neither given, nor installed, nor installable."""

    code = "server_missing"


class StartFailed(LocalError):
    """A process did not become ready; the message ends with the last lines of its log."""

    code = "start_failed"


class AlreadyRunning(LocalError):
    """A supervisor is at work in this folder."""

    code = "already_running"


class NotRunning(LocalError):
    """No supervisor is at work in this folder."""

    code = "not_running"


class NoSuchProcess(LocalError):
    """The stack runs no process of this name."""

    code = "no_such_process"


class SeedFailed(LocalError):
    """The demo workspace could not be created through the services' own interfaces."""

    code = "seed_failed"
