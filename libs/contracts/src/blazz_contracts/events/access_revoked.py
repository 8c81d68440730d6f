"""A token or a membership ended."""

from typing import ClassVar

from pydantic import Field

from blazz_contracts.event import Event


class AccessRevoked(Event):
    """A token or a membership ended: its sockets are closed."""

    name: ClassVar[str] = "access.revoked"

    socket_ids: list[str] = Field(description="The sockets that were admitted with it.")
    reason: str = Field(max_length=200)
