"""Somebody came or went."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from blazz_contracts.event import Event


class PresenceChanged(Event):
    """Somebody came to a presence channel or left it (their first socket, their last)."""

    name: ClassVar[str] = "presence.changed"

    channel: str = Field(max_length=200)
    action: Literal["member_added", "member_removed"]
    user_id: str = Field(max_length=200)
    user_info: dict[str, Any] | None = None
    except_socket_id: str | None = Field(default=None, description="The socket that caused it.")
