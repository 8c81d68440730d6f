"""Which statuses follow an accepted send, when, and in what disorder."""

import random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .payload import Layout

Status = Literal["sent", "delivered", "read", "played"]

DEFAULT_DELAYS: dict[Status, float] = {"sent": 0.05, "delivered": 0.1, "read": 0.3, "played": 0.5}
"""Seconds after the send. Short, for people watch and tests wait."""


class StatusSettings(BaseModel):
    """How statuses are made and told: `PUT /_sim/statuses`."""

    model_config = ConfigDict(extra="forbid")

    statuses: list[Status] = ["sent", "delivered", "read"]
    """Which ones are sent, in this order. Without `read`, a message is read when its phone page is opened."""
    delays: dict[Status, float] = Field(default_factory=dict)
    """Seconds after the send at which each happens; those not named keep their default."""
    batch_size: int = Field(default=100, ge=1, le=1000)
    """Most updates in one POST (Meta: 1,000)."""
    window: float = Field(default=0.02, ge=0.001, le=10)
    """Seconds over which updates are collected before they are told."""
    shuffled: bool = False
    """Statuses of a message and messages among each other come in any order."""
    doubled: float = Field(default=0, ge=0, le=1)
    """Share of the statuses that come twice; `true` is all of them."""
    layout: Layout = "compact"
    """How several updates share a POST: in one change, a change each, or an entry each."""
    conversation: bool = False
    """Add `conversation`, as API versions before v24 do."""

    @field_validator("delays")
    @classmethod
    def _not_negative(cls, value: dict[Status, float]) -> dict[Status, float]:
        for name, seconds in value.items():
            if not 0 <= seconds <= 86_400:
                raise ValueError(f"{name}: must be between 0 and 86400 seconds")
        return value

    def plan(self, rng: random.Random) -> list[tuple[Status, float]]:
        """Return the statuses of one message with the seconds after which each is told."""
        steps = [(status, self.delays.get(status, DEFAULT_DELAYS[status])) for status in self.statuses]
        if self.shuffled:
            delays = [delay for _, delay in steps]
            rng.shuffle(delays)
            steps = [(status, delay) for (status, _), delay in zip(steps, delays, strict=True)]
        if self.doubled:
            # The second copy comes late enough to miss the first one's batch.
            steps += [(s, d + rng.uniform(0.1, 0.5)) for s, d in steps if rng.random() < self.doubled]
        return steps
