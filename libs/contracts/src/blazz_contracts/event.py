"""The base of every event and command, and the envelope that carries one over the broker."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EVENT_NAME = r"^[a-z]+\.[a-z_]+$"


class Kind(StrEnum):
    """Which exchange carries it.

    A command has one receiver, a command to a session goes to that WhatsApp Web session alone, a fact from a provider
    goes to chat, an event to whoever listens.
    """

    COMMAND = "command"
    SESSION = "session"
    INBOUND = "inbound"
    EVENT = "event"


class Contract(BaseModel):
    """A part of a payload. Unknown fields are ignored, so that a newer producer may add some within a version."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Event(Contract):
    """One message on the broker: a fact, or a command, that belongs to one workspace."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = Kind.EVENT

    workspace_id: UUID = Field(description="The tenant this belongs to; also in the `workspace-id` header.")

    def routing_key(self) -> str:
        """The key it is published with: events end in their workspace, so that a listener binds to one tenant."""
        if self.kind is Kind.EVENT:
            return f"{self.name}.{self.workspace_id}"
        return self.name


class Envelope(Contract):
    """What travels beside a payload, in AMQP basic properties and headers."""

    message_id: UUID = Field(
        description="UUIDv7 of this broker message (`message_id` property). The same on every redelivery."
    )
    type: Annotated[str, Field(pattern=EVENT_NAME, description="The event's name (`type` property).")]
    version: int = Field(description="The payload's version (`schema-version` header).", ge=1)
    workspace_id: UUID = Field(description="The tenant (`workspace-id` header).")
    timestamp: AwareDatetime = Field(description="When it was published, UTC (`timestamp` property, whole seconds).")
    app_id: str = Field(description="The service that published it (`app_id` property).")
    correlation_id: str = Field(description="The request that began it all (`correlation_id` property).")
    traceparent: str | None = Field(default=None, description="W3C trace context (`traceparent` header).")
