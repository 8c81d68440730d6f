"""What can go wrong, as one tree.

SimulatorError
├── ControlError          the control API was asked for something it cannot do
│   ├── BadInput          422: a field is wrong; `fields` names each
│   ├── NotFound          404: no such account, phone, template, message, page
│   └── Conflict          409: it is there, but not in a state that allows this
└── graph.errors.GraphError   Meta's error envelope
"""

from collections.abc import Mapping


class SimulatorError(Exception):
    """Root of all errors of the simulator."""


class ControlError(SimulatorError):
    """A control API call was refused. `code` is stable, the message says what to do."""

    code = "refused"
    status = 400

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})

    def body(self) -> dict[str, object]:
        """Return the JSON answer: stable code, sentence, and what is wrong by field."""
        return {"error": {"code": self.code, "message": self.message, "fields": self.fields}}


class BadInput(ControlError):
    """A field of the request is missing, of the wrong type or out of range."""

    code = "bad_input"
    status = 422


class NotFound(ControlError):
    """What the path names does not exist."""

    code = "not_found"
    status = 404


class Conflict(ControlError):
    """What is named exists, but not in a state that allows this."""

    code = "conflict"
    status = 409
