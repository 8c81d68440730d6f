"""The tables of webjs-bridge: the source of the migrations. Hot paths use SQL of their own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

NOW = text("now()")
_TO_FINISH = "deleted_at is null and (wanted = 'deleted' or not made)"


def _at(*, nullable: bool = False, now: bool = False) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable, server_default=NOW if now else None))


class Session(SQLModel, table=True):
    """A WhatsApp Web session: what is wanted of it, who runs it, where it stands."""

    __tablename__ = "web_sessions"
    __table_args__ = (
        Index("web_sessions_by_workspace", "workspace_id", "created_at"),
        Index("web_sessions_to_run", "lease_until", postgresql_where=text("wanted = 'running' and deleted_at is null")),
        Index("web_sessions_owned", "owner", postgresql_where=text("owner is not null")),
        Index(
            "web_sessions_to_finish",
            "id",
            postgresql_where=text(_TO_FINISH),
        ),
        Index(
            "web_sessions_request_key",
            "workspace_id",
            "request_key",
            unique=True,
            postgresql_where=text("request_key is not null and wanted <> 'deleted'"),
        ),
    )
    id: UUID = Field(primary_key=True)
    """Also the id of the channel at chat."""
    workspace_id: UUID
    name: str = Field(sa_type=Text)
    options: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    made: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Whether its channel and its queue are there."""
    wanted: str = Field(sa_column=Column(Text, nullable=False, server_default="running"))
    """running, stopped or deleted: a person's wish."""
    owner: str | None = Field(default=None, sa_type=Text)
    fence: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """Grows with each new owner; what a former owner writes is refused by it."""
    lease_until: datetime | None = _at(nullable=True)
    start_after: datetime = _at(now=True)
    """Not to be taken before: the pause after a failure."""
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="starting"))
    cause: str | None = Field(default=None, sa_type=Text)
    since: datetime = _at(now=True)
    revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="1"))
    sealed_qr: str | None = Field(default=None, sa_type=Text)
    """The newest code, sealed: whoever has it can link a phone."""
    qr_revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    qr_at: datetime | None = _at(nullable=True)
    qr_until: datetime | None = _at(nullable=True)
    """From then on the code that was shown last does not work, by what the page says."""
    pairing_code_until: datetime | None = _at(nullable=True)
    sealed_pairing_code: str | None = Field(default=None, sa_type=Text)
    phone: str | None = Field(default=None, sa_type=Text)
    lid: str | None = Field(default=None, sa_type=Text)
    account_name: str | None = Field(default=None, sa_type=Text)
    restarts: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))
    """Since it was last ready."""
    memory_bytes: int | None = Field(sa_column=Column(BigInteger))
    heard_at: datetime | None = _at(nullable=True)
    seen_until: datetime | None = _at(nullable=True)
    """Everything that WhatsApp brought before this, by its clock, has been handed on."""
    finish_after: datetime = _at(now=True)
    """Making or deleting it is not to be tried before: the pause after a failure."""
    finish_tries: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))
    finishing_until: datetime | None = _at(nullable=True)
    """Until then somebody is at making or deleting it."""
    unlink_until: datetime | None = _at(nullable=True)
    """Of a deleted one: until then it is opened to be unlinked; after that it goes as it is."""
    request_key: str | None = Field(default=None, sa_type=Text)
    """The Idempotency-Key it was asked for under; kept as long as the session."""
    request_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Of that request."""
    created_at: datetime = _at(now=True)
    deleted_at: datetime | None = _at(nullable=True)


class SessionRequest(SQLModel, table=True):
    """Something a person asks of a running session; its owner takes it and does it."""

    __tablename__ = "web_session_requests"
    __table_args__ = (Index("web_session_requests_of", "session_id", "id"),)
    id: UUID = Field(primary_key=True)
    session_id: UUID = Field(sa_column=Column(ForeignKey("web_sessions.id", ondelete="CASCADE"), nullable=False))
    workspace_id: UUID
    kind: str = Field(sa_type=Text)
    """restart, logout, pair."""
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False, server_default="{}"))
    created_at: datetime = _at(now=True)


class Send(SQLModel, table=True):
    """The journal: every attempt is written down, with the id it will have, before the page hears of it."""

    __tablename__ = "web_sends"
    __table_args__ = (
        Index("web_sends_by_hex", "session_id", "hex", unique=True),
        Index("web_sends_in_doubt", "session_id", "created_at", postgresql_where=text("state = 'journalled'")),
        Index("web_sends_by_age", "created_at"),
    )
    message_id: UUID = Field(primary_key=True)
    attempt: int = Field(sa_column=Column(Integer, primary_key=True))
    session_id: UUID
    workspace_id: UUID
    hex: str = Field(sa_type=Text)
    """The part of WhatsApp's id that we choose."""
    chat: str = Field(sa_type=Text)
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="journalled"))
    """journalled: may or may not have left; sent; failed: it did not leave."""
    command: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """What to send, while it may have to be sent again; dropped when the outcome is known."""
    ack: int = Field(sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    failure: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    created_at: datetime = _at(now=True)
    settled_at: datetime | None = _at(nullable=True)
