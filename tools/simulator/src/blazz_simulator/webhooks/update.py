"""One thing to tell a business: a status, a customer's message, or a change of its account."""

from typing import Any, NamedTuple

from ..message import Message


class StatusUpdate(NamedTuple):
    """A message of the business was sent, delivered, read, played, or failed."""

    message: Message
    status: str
    at: float
    """Unix time in seconds at which it happened."""
    error: int | None = None
    """Error code of a failed message."""


class MessageUpdate(NamedTuple):
    """A customer wrote."""

    message: Message
    at: float


class AccountUpdate(NamedTuple):
    """Something else happened, told under its own `field`: a template was approved, a customer opted out."""

    field: str
    value: dict[str, Any]
    at: float


Update = StatusUpdate | MessageUpdate | AccountUpdate
