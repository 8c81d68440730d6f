"""Something for a websocket channel, whichever instance its listeners are on."""

from typing import ClassVar

from pydantic import Field

from blazz_contracts.event import Event


class SocketTriggered(Event):
    """A client event, or one triggered over the notifier's HTTP API, for listeners on every instance."""

    name: ClassVar[str] = "socket.triggered"

    channels: list[str] = Field(min_length=1, max_length=100)
    event: str = Field(max_length=200)
    data: str = Field(description="The event's data, as a JSON string, as Pusher's frames have it.")
    user_id: str | None = Field(default=None, description="Who sent it, for client events on presence channels.")
    except_socket_id: str | None = Field(default=None, description="The socket that caused it.")
