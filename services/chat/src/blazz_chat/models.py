"""The tables of chat. Hot paths speak SQL to them; these classes are the source of the migrations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

NOW = text("now()")
CONTACT_WORDS = (
    "lower(coalesce(name, '') || ' ' || coalesce(profile_name, '') || ' ' || coalesce(phone, '') || ' ' "
    "|| coalesce(wa_id, '') || ' ' || coalesce(user_id, ''))"
)


def _at(*, nullable: bool = False, now: bool = False) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable, server_default=NOW if now else None))


class Workspace(SQLModel, table=True):
    """What chat must know of a workspace; told by the gateway in `workspace.updated`."""

    __tablename__ = "workspaces"
    workspace_id: UUID = Field(primary_key=True)
    revision: int
    unsettled: str = Field(sa_column=Column(Text, nullable=False, server_default="resend"))


class Channel(SQLModel, table=True):
    """A WhatsApp number."""

    __tablename__ = "channels"
    __table_args__ = (
        Index("channels_by_workspace", "workspace_id", "created_at"),
        Index("channels_phone_number", "phone_number_id", unique=True, postgresql_where=text("deleted_at is null")),
        CheckConstraint("state in ('active', 'stopped')", name="channels_state"),
    )
    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    provider: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    phone_number_id: str | None = Field(default=None, sa_type=Text)
    waba_id: str | None = Field(default=None, sa_type=Text)
    display_phone_number: str | None = Field(default=None, sa_type=Text)
    sealed_credentials: str = Field(sa_type=Text)
    webhook_identifier: str | None = Field(default=None, sa_column=Column(Text, unique=True))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="active"))
    state_reason: str | None = Field(default=None, sa_type=Text)
    limits: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    session_state: str | None = Field(default=None, sa_type=Text)
    """Of a WhatsApp Web number: where its session stands. Nothing is claimed but in `ready`."""
    session_cause: str | None = Field(default=None, sa_type=Text)
    session_since: datetime | None = _at(nullable=True)
    session_revision: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """Of the latest news of the session; older news is ignored."""
    first_number: str | None = Field(default=None, sa_type=Text)
    """The number that was linked to the session first: what was accepted before that is for it."""
    former_number: str | None = Field(default=None, sa_type=Text)
    """The number that was linked before the one that is."""
    former_since: datetime | None = _at(nullable=True)
    """When that one was linked, unless it was the first."""
    renumbered_at: datetime | None = _at(nullable=True)
    """When another number was linked, by the session's word: what was asked for before is for the former one."""
    renumbering: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Whether messages that waited for another number may still be there, to be failed."""
    status_seen_at: datetime | None = _at(nullable=True)
    """When a status first came from it; none: its webhook may not be set up, so that its silence says nothing."""
    revision: int = Field(sa_column=Column(Integer, nullable=False, server_default="1"))
    created_at: datetime = _at(now=True)
    deleted_at: datetime | None = _at(nullable=True)


class ChannelBucket(SQLModel, table=True):
    """The token bucket of a channel, shared by all instances."""

    __tablename__ = "channel_buckets"
    channel_id: UUID = Field(sa_column=Column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True))
    tokens: float = Field(sa_column=Column(Double, nullable=False))
    refilled_at: datetime = _at(now=True)
    opened: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Conversations that the business opened in 24 hours, as counted then, and what was added since."""
    oldest_opened_at: datetime | None = _at(nullable=True)
    opened_counted_at: datetime | None = _at(nullable=True)


class Contact(SQLModel, table=True):
    """A person, known by a phone number, by WhatsApp's own form of it, by a user id, by a hidden id, or by several."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("workspace_id", "phone", name="contacts_phone"),
        UniqueConstraint("workspace_id", "user_id", name="contacts_user_id"),
        UniqueConstraint("workspace_id", "lid", name="contacts_lid"),
        Index("contacts_wa_id", "workspace_id", "wa_id", postgresql_where=text("wa_id is not null")),
        Index("contacts_merged", "merged_into", postgresql_where=text("merged_into is not null")),
        Index(
            "contacts_by_talk",
            "workspace_id",
            text("coalesce(last_message_at, '-infinity'::timestamptz) desc"),
            text("id desc"),
        ),
        Index("contacts_by_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
    )
    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    phone: str | None = Field(default=None, sa_type=Text)
    """Digits, without `+`."""
    wa_id: str | None = Field(default=None, sa_type=Text)
    """WhatsApp's form of the number, where it differs (Brazil, Mexico, Argentina)."""
    user_id: str | None = Field(default=None, sa_type=Text)
    """Meta's business-scoped user id."""
    lid: str | None = Field(default=None, sa_type=Text)
    """WhatsApp Web's hidden id, digits; of a group its whole id (`…@g.us`)."""
    merged_into: UUID | None = None
    """Found to be the same person as this other contact, which has all that was this one's."""
    name: str | None = Field(default=None, sa_type=Text)
    profile_name: str | None = Field(default=None, sa_type=Text)
    words: str = Field(sa_column=Column(Text, Computed(CONTACT_WORDS, persisted=True), nullable=False))
    """What a search looks through."""
    marketing_opt_out: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    opt_out_at: datetime | None = _at(nullable=True)
    """When they last said so, or the opposite: what they said before that changes nothing."""
    last_message_at: datetime | None = _at(nullable=True)
    created_at: datetime = _at(now=True)


class Conversation(SQLModel, table=True):
    """All that is said between one channel and one contact."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("channel_id", "contact_id", name="conversations_pair"),
        Index("conversations_by_contact", "contact_id", text("last_message_at desc nulls last")),
        Index("conversations_business_opened", "channel_id", "business_opened_at"),
    )
    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    channel_id: UUID = Field(foreign_key="channels.id")
    contact_id: UUID = Field(foreign_key="contacts.id")
    last_inbound_at: datetime | None = _at(nullable=True)
    last_message_at: datetime | None = _at(nullable=True)
    unread: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    pair_free_at: datetime | None = _at(nullable=True)
    """When the pair limit is fully paid back (the theoretical arrival time of GCRA)."""
    business_opened_at: datetime | None = _at(nullable=True)
    """When the business last wrote first: counts for the 24-hour tier."""
    created_at: datetime = _at(now=True)


class Message(SQLModel, table=True):
    """A message, in or out."""

    __tablename__ = "messages"
    __table_args__ = (
        Index(
            "messages_ready",
            "channel_id",
            "lane",
            "position",
            postgresql_where=text("status = 'pending' and waits_for is null"),
        ),
        Index("messages_pending", "channel_id", postgresql_where=text("status = 'pending'")),
        Index(
            "messages_waiting",
            "next_attempt_at",
            postgresql_where=text("status = 'pending' and waits_for is not null"),
        ),
        Index(
            "messages_unsent",
            "conversation_id",
            "position",
            postgresql_where=text("status in ('pending', 'sending')"),
        ),
        Index("messages_leased", "lease_until", postgresql_where=text("status = 'sending'")),
        Index("messages_handed", "channel_id", postgresql_where=text("status = 'sending' and lease_until is null")),
        Index("messages_of_conversation", "conversation_id", "position"),
        Index("messages_of_contact", "contact_id", "position"),
        Index(
            "messages_received",
            "channel_id",
            "provider_message_id",
            unique=True,
            postgresql_where=text("origin_kind is null"),
        ),
    )
    id: UUID = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    """The order of storing, which is the order of requesting: within a conversation messages leave by it."""
    workspace_id: UUID
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    channel_id: UUID | None = None
    direction: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    status: str = Field(sa_type=Text)
    waits_for: str | None = Field(default=None, sa_type=Text)
    lane: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    attempt: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    """Number of the latest attempt."""
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    """Attempts that WhatsApp refused for a passing reason: four are allowed."""
    next_attempt_at: datetime | None = _at(nullable=True)
    holds_until: datetime | None = _at(nullable=True)
    """While it waits for a retry it holds back later ones of its conversation until then."""
    lease_until: datetime | None = _at(nullable=True)
    """Of `sending`: until when its sender may be at it; none: it lies in a WhatsApp Web session's queue."""
    provider_message_id: str | None = Field(default=None, sa_type=Text)
    reply_to: UUID | None = None
    retry_of: UUID | None = None
    origin_kind: str | None = Field(default=None, sa_type=Text)
    """Who asked for it; none: it came from WhatsApp."""
    origin_id: UUID | None = None
    failure: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    for_number: str | None = Field(default=None, sa_type=Text)
    """Of a WhatsApp Web session: the number it was accepted for. None: the first one that is linked."""
    created_at: datetime = _at(now=True)
    sent_at: datetime | None = _at(nullable=True)
    delivered_at: datetime | None = _at(nullable=True)
    read_at: datetime | None = _at(nullable=True)
    edited_at: datetime | None = _at(nullable=True)
    revoked_at: datetime | None = _at(nullable=True)


class Attempt(SQLModel, table=True):
    """One try at sending. Written before the provider is called; `outcome` stays empty while we do not know."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("attempts_provider_id", "provider_message_id", postgresql_where=text("provider_message_id is not null")),
    )
    message_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    workspace_id: UUID
    channel_id: UUID
    started_at: datetime = _at(now=True)
    asked_at: datetime | None = _at(nullable=True)
    """When it was last asked of a WhatsApp Web session again."""
    finished_at: datetime | None = _at(nullable=True)
    outcome: str | None = Field(default=None, sa_type=Text)
    provider_message_id: str | None = Field(default=None, sa_type=Text)
    failure: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))


class FeedHead(SQLModel, table=True):
    """The last cursor of a workspace's feed. Locked until commit: so cursors are in commit order, without a gap."""

    __tablename__ = "feed_heads"
    workspace_id: UUID = Field(primary_key=True)
    cursor: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))


class Change(SQLModel, table=True):
    """One change of a workspace."""

    __tablename__ = "changes"
    __table_args__ = (Index("changes_by_age", "at"),)
    workspace_id: UUID = Field(primary_key=True)
    cursor: int = Field(sa_column=Column(BigInteger, primary_key=True))
    kind: str = Field(sa_type=Text)
    id: UUID
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = _at(now=True)


class StrayStatus(SQLModel, table=True):
    """A status of a message we do not know (sent by somebody else with the same number). Kept 7 days."""

    __tablename__ = "stray_statuses"
    __table_args__ = (Index("stray_statuses_by_age", "received_at"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    workspace_id: UUID
    channel_id: UUID
    item: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    received_at: datetime = _at(now=True)


class ProviderNotice(SQLModel, table=True):
    """What a provider said of accounts and templates, and what we have no name for. Kept 30 days, shown to admins."""

    __tablename__ = "provider_notices"
    __table_args__ = (
        Index("provider_notices_latest", "workspace_id", text("received_at desc"), text("id desc")),
        Index("provider_notices_by_age", "received_at"),
    )
    id: UUID = Field(primary_key=True)
    """The id of the broker message that brought it: a redelivery stores nothing."""
    workspace_id: UUID
    channel_id: UUID | None = None
    kind: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    value: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    received_at: datetime = _at()


class Template(SQLModel, table=True):
    """A message template in one language: taken over from Meta, or a workspace's own for WhatsApp Web."""

    __tablename__ = "templates"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name", "language", "waba_id", name="templates_named"),
        Index(
            "templates_by_provider_id",
            "workspace_id",
            "provider_template_id",
            postgresql_where=text("provider_template_id is not null"),
        ),
        Index("templates_in_order", "workspace_id", "id"),
    )
    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    waba_id: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    """Meta's business account that it is from; empty: the workspace's own."""
    name: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    """Meta's word; it is sent when it is APPROVED."""
    components: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    """In Meta's shape."""
    provider_template_id: str | None = Field(default=None, sa_type=Text)
    """Meta's id of it, by which its webhooks name it."""
    status_at: datetime = _at(now=True)
    """When the status was told: what was told before that changes nothing."""
    updated_at: datetime = _at(now=True)


class WebhookFlow(SQLModel, table=True):
    """Since when, and until when, a gateway instance has taken webhooks in without a gap."""

    __tablename__ = "webhook_flows"
    instance: str = Field(sa_column=Column(Text, primary_key=True))
    since: datetime = _at()
    until: datetime = _at()
    silence: float = Field(sa_column=Column(Double, nullable=False, server_default="15"))
    """A longer one than this, in seconds, is a gap: three of its beats."""


class Media(SQLModel, table=True):
    """A file: uploaded by the workspace, or sent by a customer and fetched from WhatsApp."""

    __tablename__ = "media"
    __table_args__ = (
        Index("media_to_fetch", "next_attempt_at", postgresql_where=text("state = 'pending'")),
        CheckConstraint("state in ('pending', 'ready', 'failed')", name="media_state"),
    )
    id: UUID = Field(primary_key=True)
    workspace_id: UUID
    state: str = Field(sa_type=Text)
    mime_type: str = Field(sa_type=Text)
    size: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = Field(default=None, sa_type=Text)
    filename: str | None = Field(default=None, sa_type=Text)
    message_id: UUID | None = None
    channel_id: UUID | None = None
    provider_media_id: str | None = Field(default=None, sa_type=Text)
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    next_attempt_at: datetime | None = _at(nullable=True)
    error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _at(now=True)


class MediaUpload(SQLModel, table=True):
    """The provider's id of a file that we uploaded to it for a channel. They live 30 days at Meta."""

    __tablename__ = "media_uploads"
    media_id: UUID = Field(sa_column=Column(ForeignKey("media.id", ondelete="CASCADE"), primary_key=True))
    channel_id: UUID = Field(primary_key=True)
    workspace_id: UUID
    provider_media_id: str = Field(sa_type=Text)
    expires_at: datetime = _at()
