"""Meta's error envelope as an exception."""

from typing import Any

from ..errors import SimulatorError
from ..identifiers import trace_id
from .codes import describe, is_transient


class GraphError(SimulatorError):
    """A Graph API call was refused. Carries Meta's code and answers with Meta's envelope."""

    def __init__(
        self,
        code: int,
        details: str | None = None,
        *,
        message: str | None = None,
        http: int | None = None,
        subcode: int | None = None,
        kind: str = "OAuthException",
    ) -> None:
        known = describe(code)
        self.code = code
        self.http = http or known.http
        self.details = details or known.details
        self.subcode = subcode
        self.kind = kind
        self.message = message or f"(#{code}) {known.title}"
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON: `{"error": {...}}`."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if is_transient(self.code):
            error["is_transient"] = True
        error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = trace_id()
        return {"error": error}


def invalid(details: str) -> GraphError:
    """100: a parameter is not supported, misspelled or of the wrong type."""
    return GraphError(100, details, message=f"(#100) {details}")


def missing(parameter: str, details: str | None = None) -> GraphError:
    """131008: a required parameter is missing."""
    return GraphError(131008, details or f"Parameter '{parameter}' is mandatory.")


def bad_value(details: str) -> GraphError:
    """131009: a parameter has a value that is not allowed."""
    return GraphError(131009, details)


def no_object(object_id: str, verb: str) -> GraphError:
    """100/33: there is no such object, or the token may not see it."""
    return GraphError(
        100,
        message=f"Unsupported {verb.lower()} request. Object with ID '{object_id}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        details="The object does not exist or this token may not use it.",
        subcode=33,
        kind="GraphMethodException",
    )
