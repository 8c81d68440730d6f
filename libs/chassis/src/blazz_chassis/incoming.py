"""What a delivery carries, read and checked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aio_pika.abc import AbstractIncomingMessage
from blazz_contracts import Envelope, Event
from pydantic import ValidationError

from blazz_chassis.errors import Permanent
from blazz_chassis.outgoing import SCHEMA_VERSION, TRACEPARENT, WORKSPACE_ID, Header, Outgoing

# Headers the chassis adds when a message is retried or laid to rest.
TRIES = "blazz-tries"  # how often a handler has failed on it
ERROR, ERROR_CODE = "blazz-error", "blazz-error-code"  # the last error
REASON, TRACEBACK = "blazz-reason", "blazz-traceback"  # of a dead message
QUEUE, DIED_AT = "blazz-queue", "blazz-died-at"  # where it died, and when (Unix seconds)
MAX_ERROR, MAX_TRACEBACK = 500, 4_000  # characters; a header frame holds 128 KB at most


class Undecodable(Permanent):
    """The bytes are not the event that their type says, or the envelope is incomplete."""

    code, title = "undecodable", "This is not a message we understand"


def envelope_of(message: AbstractIncomingMessage) -> Envelope:
    """Return the envelope; raise `Undecodable` saying what is missing or wrong."""
    headers = message.headers
    timestamp = message.timestamp
    try:
        return Envelope(
            message_id=UUID(message.message_id or ""),
            type=message.type or "",
            version=int(_text(headers.get(SCHEMA_VERSION)) or 0),
            workspace_id=UUID(_text(headers.get(WORKSPACE_ID))),
            timestamp=(timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC))
            if timestamp is not None
            else datetime.now(UTC),
            app_id=message.app_id or "",
            correlation_id=message.correlation_id or "",
            traceparent=_text(headers.get(TRACEPARENT)) or None,
        )
    except ValidationError as error:
        raise Undecodable(f"envelope: {_told(error)}") from error
    except (ValueError, TypeError) as error:
        raise Undecodable(f"envelope: {error}") from error


def event_of(message: AbstractIncomingMessage, kind: type[Event]) -> Event:
    """Return the payload as an event of this type; raise `Undecodable` naming the fields that are wrong."""
    try:
        return kind.model_validate_json(message.body)
    except ValidationError as error:
        raise Undecodable(f"{kind.name}: {_told(error)}") from error


def _told(error: ValidationError) -> str:
    # Without the input: a payload may hold what must not be in logs or headers.
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)[:5]
    )


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def tries_of(message: AbstractIncomingMessage) -> int:
    """How often a handler has failed on this message before."""
    value = message.headers.get(TRIES, 0)
    return value if isinstance(value, int) else 0


def again(
    message: AbstractIncomingMessage, routing_key: str, headers: Mapping[str, Header], *, exchange: str = ""
) -> Outgoing:
    """Return the same message for another queue (by its name, or by an exchange) with headers added or replaced."""
    # x-death and its like are the broker's own story of the message; they would grow with every step.
    kept: dict[str, Any] = {key: value for key, value in message.headers.items() if not key.startswith("x-")}
    kept.update(headers)
    timestamp = message.timestamp
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        mandatory=True,
        type=message.type or "unknown",
        body=message.body,
        message_id=message.message_id or "",
        correlation_id=message.correlation_id or "",
        app_id=message.app_id or "",
        headers=kept,
        timestamp=(timestamp or datetime.now(UTC)).timestamp(),
    )
