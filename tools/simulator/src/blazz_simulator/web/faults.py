"""What goes wrong with WhatsApp Web on request."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..errors import NotFound
from ..identifiers import wa_id

if TYPE_CHECKING:
    from .device import Device

AtOnce = Literal["conflict", "logout", "offline", "deprecate", "crash", "freeze", "storage_error", "garbage"]
PerSend = Literal["drop_ack", "refuse", "slow"]

PER_SEND: frozenset[str] = frozenset({"drop_ack", "refuse", "slow"})
_NEEDS_SECONDS = frozenset({"freeze", "slow"})


class WebFault(BaseModel):
    """One rule. Those that act at once hit the matching pages and are done; the others wait for sends."""

    model_config = ConfigDict(extra="forbid")

    kind: AtOnce | PerSend
    device: str | None = None
    """Only this device."""
    phone: str | None = None
    """Only this phone's devices."""
    count: int | None = Field(default=None, ge=1)
    """Sends until it is spent; for `garbage`, how many messages."""
    share: float = Field(default=1, ge=0, le=1)
    """Share of the sends it hits."""
    seconds: float | None = Field(default=None, ge=0, le=86_400)
    """How long: without it, `offline` and `drop_ack` last until the fault is removed."""
    code: int = Field(default=463, ge=1, le=9999)
    """Error code of a refused send."""
    hits: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _sensible(self) -> WebFault:
        if self.kind in _NEEDS_SECONDS and self.seconds is None:
            raise ValueError(f"{self.kind} needs seconds")
        if self.phone is not None:
            digits = wa_id(self.phone)
            if digits is None:
                raise ValueError("phone must be a phone number with its country code")
            self.phone = digits
        return self

    def hits_device(self, device: Device) -> bool:
        """Say whether a device is meant."""
        return self.device in (None, device.id) and self.phone in (None, device.phone)


class WebFaults:
    """The rules in force, in the order they were set."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._rules: list[WebFault] = []

    def __iter__(self) -> Iterator[WebFault]:
        return iter(self._rules)

    def add(self, rule: WebFault) -> None:
        """Add a rule."""
        self._rules.append(rule)

    def remove(self, kind: str | None, device: str | None = None) -> list[WebFault]:
        """Remove the rules of a kind (or all), and return them; `NotFound` when a kind was named and none is there."""
        gone = [r for r in self._rules if kind in (None, r.kind) and device in (None, r.device)]
        if kind is not None and not gone:
            raise NotFound(f"There is no fault of the kind {kind}.", {"kind": "none in force"})
        self._rules = [rule for rule in self._rules if rule not in gone]
        return gone

    def clear(self) -> None:
        """Remove all rules."""
        self._rules = []

    def of_send(self, device: Device, kind: PerSend) -> WebFault | None:
        """Return the rule of a kind that hits this send, and count it."""
        for rule in self._rules:
            if (
                rule.kind == kind
                and rule.hits_device(device)
                and (rule.count is None or rule.hits < rule.count)
                and (rule.share >= 1 or self._rng.random() < rule.share)
            ):
                rule.hits += 1
                return rule
        return None

    def view(self) -> list[dict[str, Any]]:
        """Return the rules as GET /_sim/web/faults shows them."""
        return [rule.model_dump() for rule in self._rules]
