"""The gateway's tables. Queries are plain SQL in each noun's own module; these are the source of the migrations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _moment(*, required: bool = True, default: str | None = None) -> Any:
    return Field(
        sa_type=DateTime(timezone=True),
        nullable=not required,
        sa_column_kwargs={"server_default": text(default)} if default else {},
    )


class Workspace(SQLModel, table=True):
    """A tenant."""

    __tablename__ = "workspaces"
    __table_args__ = (CheckConstraint("unsettled in ('resend', 'unconfirmed')", name="workspaces_unsettled"),)

    id: UUID = Field(primary_key=True)
    display_name: str
    revision: int = Field(default=1, description="Grows with each change.")
    unsettled: str = Field(default="resend", description="What to do with a send that may or may not have happened.")
    created_at: datetime = _moment(default="now()")


class User(SQLModel, table=True):
    """A person; belongs to any number of workspaces."""

    __tablename__ = "users"

    id: UUID = Field(primary_key=True)
    email: str = Field(unique=True, description="Lower case.")
    name: str = ""
    password_hash: str = Field(description="argon2id.")
    created_at: datetime = _moment(default="now()")


class Membership(SQLModel, table=True):
    """A person's role in a workspace."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'admin', 'agent', 'viewer')", name="memberships_role"),
        Index("memberships_user_id", "user_id"),
    )

    workspace_id: UUID = Field(primary_key=True, foreign_key="workspaces.id")
    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    role: str
    created_at: datetime = _moment(default="now()")


class Invitation(SQLModel, table=True):
    """Somebody may become a member, and has not yet; gone when they do."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'admin', 'agent', 'viewer')", name="invitations_role"),
        UniqueConstraint("workspace_id", "email", name="invitations_email"),
        Index("invitations_expires_at", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspaces.id")
    email: str = Field(description="Lower case.")
    role: str
    hash: bytes = Field(unique=True, sa_type=LargeBinary, description="SHA-256 of its token.")
    invited_by: UUID
    created_at: datetime = _moment(default="now()")
    expires_at: datetime = _moment()


class Session(SQLModel, table=True):
    """A login. Access tokens name it; it ends by logout, reuse of a refresh token, or age."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_user_id", "user_id"),
        Index("sessions_expires_at", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    created_at: datetime = _moment(default="now()")
    expires_at: datetime = _moment()
    ended_at: datetime | None = _moment(required=False)
    ended_reason: str | None = None


class RefreshToken(SQLModel, table=True):
    """A refresh token by its hash; good for one use. A used one that is shown again ends the session."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("refresh_tokens_session_id", "session_id"),)

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary, description="SHA-256.")
    session_id: UUID = Field(foreign_key="sessions.id", ondelete="CASCADE")
    created_at: datetime = _moment(default="now()")
    used_at: datetime | None = _moment(required=False)


class ApiToken(SQLModel, table=True):
    """An API token by its hash."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("api_tokens_workspace_id", "workspace_id"),
        CheckConstraint("rate_per_minute > 0", name="api_tokens_rate_per_minute"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspaces.id")
    name: str
    prefix: str = Field(description="How it begins, for people to tell theirs apart.")
    hash: bytes = Field(unique=True, sa_type=LargeBinary, description="SHA-256 of a 256-bit random.")
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    rate_per_minute: int | None = Field(default=None, description="Messages in any 60 seconds; null: no limit.")
    created_by: UUID | None = None
    created_at: datetime = _moment(default="now()")
    expires_at: datetime | None = _moment(required=False)
    revoked_at: datetime | None = _moment(required=False)
    last_used_at: datetime | None = _moment(required=False)


class RateWindow(SQLModel, table=True):
    """How many in each of the last 61 seconds, of one subject."""

    __tablename__ = "rate_windows"

    subject: str = Field(primary_key=True, description="Such as `user:{id}`.")
    second: int = Field(sa_column=Column(BigInteger, nullable=False), description="Of the last slot, since 1970.")
    slots: bytes = Field(sa_type=LargeBinary, description="61 counts, unsigned 32 bit, this machine's byte order.")
    touched_at: datetime = _moment()


class Accepted(SQLModel, table=True):
    """A request to send: its idempotency key, and what GET answers until chat has the message. Kept 24 hours."""

    __tablename__ = "accepted"
    __table_args__ = (
        Index(
            "accepted_key",
            "workspace_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key is not null"),
        ),
        Index("accepted_created_at", "created_at"),
        CheckConstraint("state in ('reserved', 'accepted')", name="accepted_state"),
    )

    id: UUID = Field(primary_key=True, description="The message's id.")
    workspace_id: UUID
    idempotency_key: str | None = None
    request_hash: bytes | None = Field(default=None, sa_type=LargeBinary, description="SHA-256 of the request.")
    state: str
    lease_until: datetime | None = _moment(required=False)
    answer: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False), description="The answer to it.")
    created_at: datetime = _moment()


class AuditEntry(SQLModel, table=True):
    """Somebody did something."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_workspace", "workspace_id", "id"),)

    id: UUID = Field(primary_key=True, description="UUIDv7; of the event that told of it.")
    workspace_id: UUID
    action: str
    actor_kind: str
    actor_id: UUID | None = None
    target_kind: str
    target_id: str
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = _moment()


class ChannelReplica(SQLModel, table=True):
    """What is needed of a channel to take its webhooks while chat is down. Told by `channel.updated`."""

    __tablename__ = "channels"
    __table_args__ = (
        Index("channels_webhook_identifier", "webhook_identifier", postgresql_where=text("not deleted")),
        Index("channels_phone_number_id", "phone_number_id", postgresql_where=text("not deleted")),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    revision: int
    provider: str
    display_name: str
    phone_number_id: str | None = None
    waba_id: str | None = None
    webhook_identifier: str | None = None
    sealed_webhook_secrets: str | None = None
    deleted: bool = False


class SocketAuth(SQLModel, table=True):
    """A websocket that was admitted to a channel, and by whom, so that it is closed when their access ends."""

    __tablename__ = "socket_auths"
    __table_args__ = (
        Index("socket_auths_credential", "credential_id"),
        Index("socket_auths_actor", "actor_id", "workspace_id"),
        Index("socket_auths_created_at", "created_at"),
        Index("socket_auths_told_at", "told_at", postgresql_where=text("revoked_at is not null")),
    )

    socket_id: str = Field(primary_key=True)
    workspace_id: UUID = Field(primary_key=True)
    credential_id: UUID = Field(primary_key=True, description="The API token, or the session.")
    actor_id: UUID
    created_at: datetime = _moment(default="now()")
    revoked_at: datetime | None = _moment(required=False)
    revoked_reason: str | None = None
    told_at: datetime | None = _moment(required=False)
    told: int = Field(
        sa_column=Column(SmallInteger, nullable=False, server_default="0"),
        description="How often the notifier was told to close it.",
    )


class AccessEnd(SQLModel, table=True):
    """Access ended, and not all of its sockets are marked yet."""

    __tablename__ = "access_ends"

    id: UUID = Field(primary_key=True)
    workspace_id: UUID | None = Field(default=None, description="None: a session's, which may have several.")
    credential_id: UUID | None = Field(default=None, description="The API token, or the session.")
    actor_id: UUID | None = Field(default=None, description="The member of the workspace.")
    reason: str
    created_at: datetime = _moment(default="now()")
