"""The notifier's tables: the source of the migrations. Everything in them is forgotten with the instance it is of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class NotifierInstance(SQLModel, table=True):
    """A running instance, for as long as it renews its lease."""

    __tablename__ = "notifier_instances"

    instance_id: UUID = Field(primary_key=True)
    """Of this run of the process, not of the machine."""
    name: str = Field(sa_type=Text)
    lease_until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class NotifierPresence(SQLModel, table=True):
    """A socket on a presence channel."""

    __tablename__ = "notifier_presence"
    __table_args__ = (
        Index("notifier_presence_member", "channel", "user_id"),
        Index("notifier_presence_instance", "instance_id"),
    )

    channel: str = Field(sa_column=Column(Text, primary_key=True))
    socket_id: str = Field(sa_column=Column(Text, primary_key=True))
    workspace_id: UUID
    instance_id: UUID
    user_id: str = Field(sa_type=Text)
    token: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Of the subscription; grows within an instance."""
    user_info: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    joined_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )


class NotifierOccupancy(SQLModel, table=True):
    """How many subscriptions a channel has on an instance."""

    __tablename__ = "notifier_occupancy"

    instance_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_column=Column(Text, primary_key=True))
    workspace_id: UUID
    subscriptions: int = Field(sa_column=Column(Integer, nullable=False))
