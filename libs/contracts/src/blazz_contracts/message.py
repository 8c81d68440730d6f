"""Words that several message events share: the states, the lanes, where a message came from, why it failed."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from blazz_contracts.event import Contract


class Status(StrEnum):
    """The life of a message. It only moves forward, in the order of `RANK`."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    SENDING = "sending"
    UNCONFIRMED = "unconfirmed"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


# A change is taken only when the rank grows. `failed` stands between sent and delivered: a send may fail after it was
# accepted, but what was delivered did not fail. `unconfirmed` gives way to any later evidence.
RANK: dict[Status, int] = {
    Status.SCHEDULED: 0,
    Status.PENDING: 1,
    Status.SENDING: 2,
    Status.UNCONFIRMED: 3,
    Status.SENT: 4,
    Status.FAILED: 5,
    Status.DELIVERED: 6,
    Status.READ: 7,
    Status.PLAYED: 8,
}


class Lane(StrEnum):
    """Which queue a request waits in. A full campaign lane never delays an urgent message."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    CAMPAIGN = "campaign"


class OriginKind(StrEnum):
    """Who asked for a message."""

    PERSON = "person"
    API = "api"
    AUTOMATION = "automation"
    CAMPAIGN = "campaign"


class Origin(Contract):
    """Who asked for a message."""

    kind: OriginKind
    id: UUID | None = Field(default=None, description="The user, token, automation or campaign.")


class Failure(Contract):
    """Why a message failed."""

    code: str = Field(
        description="Stable code of ours, such as `window_closed`, or `provider_{number}`.", max_length=64
    )
    title: str = Field(description="A sentence for people that says what to do.", max_length=1000)
    provider_code: int | None = Field(default=None, description="Meta's error code, where there is one.")


MAX_ITEMS = 500
"""How many items of one workspace a hot event may carry: 500 keeps a broker message well under 1 MB."""
