"""A workspace was created or changed."""

from typing import ClassVar, Literal

from pydantic import Field

from blazz_contracts.event import Event


class WorkspaceUpdated(Event):
    """A workspace was created or changed. Told by the gateway."""

    name: ClassVar[str] = "workspace.updated"

    revision: int = Field(ge=1, description="Grows with each change; an older one is ignored.")
    display_name: str
    unsettled: Literal["resend", "unconfirmed"] = Field(
        default="resend",
        description="What to do with a send of which we do not know whether it happened, once it could be known.",
    )
