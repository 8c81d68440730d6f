"""The change feed over HTTP."""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Contract


class ChangeView(Contract):
    """One change of a workspace."""

    cursor: int = Field(description="Its place in the workspace's feed: 1, 2, 3, … in commit order, without a gap.")
    kind: Literal["message", "status", "conversation", "contact"]
    id: UUID = Field(description="Of the message, conversation or contact.")
    data: dict[str, Any] = Field(description="What it is now.")
    at: AwareDatetime


class Changes(Contract):
    """Changes after a cursor, oldest first."""

    changes: list[ChangeView]
    next: int = Field(description="Give it as `after` for what follows; the same as before when there is nothing new.")
    more: bool = Field(description="True when there is more right now.")
