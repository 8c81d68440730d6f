"""What a client sends, read and checked."""

from dataclasses import dataclass
from typing import Any

import orjson

from blazz_notifier.errors import Refused, invalid_message

MAX_EVENT_NAME = 200


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of a client. `data` is an object for the protocol's own events, anything for client events."""

    event: str
    data: Any
    channel: str | None


def read(text: str | bytes) -> Inbound:
    """Read a message; raise `Refused` when it is not one."""
    if isinstance(text, bytes):
        raise invalid_message("Invalid message format: send text frames")
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise invalid_message() from error
    if not isinstance(content, dict):
        raise invalid_message()
    event, data, channel = content.get("event"), content.get("data"), content.get("channel")
    if not isinstance(event, str) or not 0 < len(event) <= MAX_EVENT_NAME:
        raise invalid_message(f"Invalid message format: event must be 1 to {MAX_EVENT_NAME} characters")
    if channel is not None and not isinstance(channel, str):
        raise invalid_message("Invalid message format: channel must be a string")
    if event.startswith("pusher:"):
        data = _object(data)
    return Inbound(event, data, channel)


def _object(data: Any) -> dict[str, Any]:
    """The data of a protocol event, which some clients send as a JSON string."""
    if isinstance(data, str) and data:
        try:
            data = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise invalid_message("Invalid message format: data is no JSON") from error
    if data in (None, "", []):
        return {}
    if not isinstance(data, dict):
        raise invalid_message("Invalid message format: data must be an object")
    return data


def text_of(data: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    """A string of a protocol event's data; raise `Refused` when it is something else."""
    value = data.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise invalid_message(f"Invalid message format: data.{name} must be a string")
    return value


@dataclass(frozen=True, slots=True)
class Member:
    """Who a socket is on a presence channel: `channel_data`, read."""

    user_id: str
    user_info: dict[str, Any] | None


def read_member(channel_data: str | None, *, max_info_bytes: int) -> Member:
    """Read the `channel_data` of a presence subscription; raise `Refused` saying what is wrong."""
    try:
        content = orjson.loads(channel_data or "")
    except orjson.JSONDecodeError as error:
        raise Refused(4009, "channel_data must be JSON with a user_id", code="channel_data_invalid") from error
    user_id = content.get("user_id") if isinstance(content, dict) else None
    if isinstance(user_id, int) and not isinstance(user_id, bool):
        user_id = str(user_id)  # Laravel signs numeric ids as numbers
    if not isinstance(user_id, str) or not 0 < len(user_id) <= 128:
        raise Refused(4009, "channel_data needs a user_id of 1 to 128 characters", code="channel_data_invalid")
    info = content.get("user_info")
    if info is not None and not isinstance(info, dict):
        raise Refused(4009, "user_info must be an object", code="channel_data_invalid")
    if info is not None and len(orjson.dumps(info)) > max_info_bytes:
        raise Refused(4009, f"user_info must not exceed {max_info_bytes} bytes", code="channel_data_invalid")
    return Member(user_id, info)
