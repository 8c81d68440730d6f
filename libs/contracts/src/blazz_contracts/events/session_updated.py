"""A WhatsApp Web session changed."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from blazz_contracts.event import Event
from blazz_contracts.session import SessionState


class SessionUpdated(Event):
    """A WhatsApp Web session changed its state, or has a new code to scan. Told by the bridge, for who watches."""

    name: ClassVar[str] = "session.updated"

    session_id: UUID = Field(description="The session, which is also the id of its channel.")
    revision: int = Field(ge=1, description="Grows with each change; an older one is late news.")
    state: SessionState
    cause: str | None = Field(default=None, max_length=500, description="Why it is in this state, for people.")
    since: AwareDatetime = Field(description="When it came into this state, UTC.")
    phone: str | None = Field(default=None, max_length=32, description="The linked number, digits.")
    qr_revision: int | None = Field(
        default=None, ge=1, description="In `qr`: grows with each new code; ask for the code itself over HTTP."
    )
