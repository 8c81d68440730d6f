"""What goes out on a socket: Pusher messages as JSON, and the websocket frames that carry them.

A frame from the server is not masked and not compressed, so its bytes are the same for every socket: they are built
once a message, however many listen.
"""

from typing import Any

import orjson
from websockets.frames import Frame, Opcode


def message(
    event: str,
    data: object = None,
    channel: str | None = None,
    *,
    encoded: str | None = None,
    user_id: str | None = None,
) -> bytes:
    """A text frame with a Pusher message. `data` becomes a JSON string; `encoded` is one already, or plain text."""
    content: dict[str, Any] = {"event": event}
    if encoded is not None:
        content["data"] = encoded
    elif data is not None:
        content["data"] = orjson.dumps(data, option=orjson.OPT_UTC_Z).decode()
    if channel is not None:
        content["channel"] = channel
    if user_id is not None:
        content["user_id"] = user_id
    return Frame(Opcode.TEXT, orjson.dumps(content)).serialize(mask=False)


def established(socket_id: str, activity_timeout: float) -> bytes:
    """The first message on a socket."""
    return message(
        "pusher:connection_established", {"socket_id": socket_id, "activity_timeout": round(activity_timeout)}
    )


def error(number: int | None, detail: str) -> bytes:
    """An error that concerns the socket."""
    return message("pusher:error", {"code": number, "message": detail})


def subscription_error(channel: str, kind: str, detail: str, status: int) -> bytes:
    """An error that concerns one subscription."""
    return message("pusher:subscription_error", {"type": kind, "error": detail, "status": status}, channel)


def subscription_succeeded(channel: str, data: object = None) -> bytes:
    """The subscription holds from here on."""
    return message("pusher_internal:subscription_succeeded", {} if data is None else data, channel)


PING = message("pusher:ping", {})
PONG = message("pusher:pong", {})
