"""A WhatsApp Web session as its row says it, and what may be read of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from blazz_contracts.session import SessionState
from blazz_contracts.views.session import SessionOptions, SessionView

COLUMNS = """
id, workspace_id, name, options, made, wanted, owner, fence, state, cause, since, revision, qr_revision, qr_at,
qr_until, phone, lid, account_name, restarts, memory_bytes, heard_at, seen_until, sealed_qr, sealed_pairing_code,
pairing_code_until, created_at
"""
CLAIM = 30.0
"""Seconds for which a session is somebody's to make or to delete."""
UNLINK = 60.0
"""Seconds that a deleted session gets to remove its device from the phone."""


@dataclass(frozen=True, slots=True)
class Session:
    """One row of `web_sessions`. Its codes stay sealed."""

    id: UUID
    workspace_id: UUID
    name: str
    options: SessionOptions
    made: bool
    wanted: str
    owner: str | None
    fence: int
    state: SessionState
    cause: str | None
    since: datetime
    revision: int
    qr_revision: int
    qr_at: datetime | None
    qr_until: datetime | None
    phone: str | None
    lid: str | None
    account_name: str | None
    restarts: int
    memory_bytes: int | None
    heard_at: datetime | None
    seen_until: datetime | None
    sealed_qr: str | None
    sealed_pairing_code: str | None
    pairing_code_until: datetime | None
    created_at: datetime

    def __repr__(self) -> str:
        return f"Session({self.id})"


def of(row: Any) -> Session:
    """Read a row with `COLUMNS`."""
    values = dict(row)
    values["options"] = SessionOptions.model_validate(values["options"])
    values["state"] = SessionState(values["state"])
    return Session(**values)


def view(session: Session, *, pairing_code: str | None = None) -> SessionView:
    """What a person may see."""
    return SessionView(
        id=session.id,
        state=session.state,
        cause=session.cause,
        since=session.since,
        revision=session.revision,
        phone=f"+{session.phone}" if session.phone else None,
        name=session.name,
        account_name=session.account_name,
        instance=session.owner,
        pairing_code=pairing_code,
        pairing_code_expires_at=session.pairing_code_until if pairing_code is not None else None,
        restarts=session.restarts,
        memory_bytes=session.memory_bytes,
        heard_at=session.heard_at,
        options=session.options,
        created_at=session.created_at,
    )
