"""The tables of campaign. Everything but the simplest reads speaks SQL to them; these are the migrations' source."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from blazz_campaign.state import RECIPIENT_STATES

NOW = text("now()")


def _at(*, nullable: bool = False, now: bool = False) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable, server_default=NOW if now else None))


def _count() -> Any:
    return Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))


class Campaign(SQLModel, table=True):
    """A message to many. Its row is locked before any of its recipients: that one lock keeps the counts exact."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint(
            "state in ('draft', 'scheduled', 'freezing', 'sending', 'paused', 'completed', 'cancelled', 'failed')",
            name="campaigns_state",
        ),
        CheckConstraint(
            "least(n_queued, n_requested, n_unconfirmed, n_sent, n_failed, n_delivered, n_read, n_played, "
            "n_cancelled) >= 0",
            name="campaigns_counts",
        ),
        Index("campaigns_of_workspace", "workspace_id", text("id desc")),
        Index(
            "campaigns_request_key",
            "workspace_id",
            "request_key",
            unique=True,
            postgresql_where=text("request_key IS NOT NULL"),
        ),
        Index("campaigns_at_work", "id", postgresql_where=text("state in ('freezing', 'sending')")),
        Index(
            "campaigns_adrift",
            "id",
            postgresql_where=text("flight_to IS NOT NULL AND state in ('cancelled', 'failed')"),
        ),
        Index(
            "campaigns_unfrozen",
            "job_id",
            postgresql_where=text("frozen_at IS NULL AND state in ('draft', 'freezing', 'paused')"),
        ),
        Index("campaigns_untold", "told_at", postgresql_where=text("told_revision < revision")),
        # Counted up with every batch: room on the page keeps the versions of a row together.
        {"postgresql_with": {"fillfactor": 50}},
    )
    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    name: str = Field(sa_type=Text)
    channel_id: UUID
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Text or template as asked for, with its `{{name}}` places."""
    state: str = Field(sa_type=Text)
    state_reason: str | None = Field(default=None, sa_type=Text)
    n_queued: int = _count()
    n_requested: int = _count()
    n_unconfirmed: int = _count()
    n_sent: int = _count()
    n_failed: int = _count()
    n_delivered: int = _count()
    n_read: int = _count()
    n_played: int = _count()
    n_cancelled: int = _count()
    duplicates: int = _count()
    invalid: int = _count()
    invalid_rows: list[Any] = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))
    """The first 100 refused rows of the list: `{row, reason}`."""
    job_id: UUID
    """The job that freezes the list."""
    frozen_at: datetime | None = _at(nullable=True)
    """When every row of the list had become a recipient (or was refused)."""
    cursor: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """No recipient before this position is queued."""
    flight_to: int | None = Field(default=None, sa_type=BigInteger)
    """Queued recipients from `cursor` up to here (exclusive) are being handed over, or were when their sender died."""
    lease_token: UUID | None = None
    lease_until: datetime | None = _at(nullable=True)
    created_by: UUID | None = None
    request_key: str | None = Field(default=None, sa_type=Text)
    """The Idempotency-Key it was asked for under; kept as long as the campaign."""
    request_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Of that request."""
    created_at: datetime = _at(now=True)
    started_at: datetime | None = _at(nullable=True)
    finished_at: datetime | None = _at(nullable=True)
    moved_at: datetime = _at(now=True)
    """When a count last changed."""
    revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="1"))
    """Grows with every change of state or counts."""
    told_revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    told_at: datetime = _at(now=True)


class Recipient(SQLModel, table=True):
    """One person of a frozen list, with the id of the one message that they get."""

    __tablename__ = "recipients"
    __table_args__ = (
        UniqueConstraint("campaign_id", "phone", name="recipients_phone"),
        UniqueConstraint("campaign_id", "position", name="recipients_position"),
        # Each is updated three or four times, and no index names what changes: with room on the page, none is touched.
        {"postgresql_with": {"fillfactor": 60}},
    )
    id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    workspace_id: UUID
    position: int = Field(sa_type=BigInteger)
    """The row of the list that named them first. Rows that were refused or named a number again leave gaps."""
    phone: str = Field(sa_type=Text)
    """Digits, without `+`."""
    variables: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    message_id: UUID = Field(unique=True)
    """Chosen at freezing; never another, so that asking twice sends once."""
    state: str = Field(sa_column=Column(Enum(*RECIPIENT_STATES, name="recipient_state"), nullable=False))
    failure: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    updated_at: datetime = _at(now=True)


class ListPart(SQLModel, table=True):
    """A part of a list as it was sent to us; gone when the list is frozen."""

    __tablename__ = "list_parts"
    campaign_id: UUID = Field(
        sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    workspace_id: UUID
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
