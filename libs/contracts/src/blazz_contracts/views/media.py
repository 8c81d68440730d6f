"""Uploaded and received files over HTTP."""

from uuid import UUID

from pydantic import AwareDatetime

from blazz_contracts.event import Contract


class MediaView(Contract):
    """A stored file."""

    id: UUID
    mime_type: str
    size: int
    """Bytes."""
    sha256: str
    filename: str | None
    created_at: AwareDatetime
