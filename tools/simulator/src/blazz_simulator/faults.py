"""Faults on request: what goes wrong, for whom, how often."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .errors import NotFound
from .identifiers import USER_ID, wa_id

Kind = Literal[
    "rate_limit",
    "server_error",
    "error",
    "slow",
    "slow_after_accept",
    "drop_before_accept",
    "drop_after_accept",
    "webhook_delay",
    "unreachable",
]
Effect = Literal[Kind, "error_in_status", "error_in_both"]
Path = Literal["messages", "media", "templates", "any"]

_DEFAULT_CODES: dict[str, list[int]] = {"rate_limit": [130429], "server_error": [131000], "error": [131000]}


class Fault(BaseModel):
    """One rule. Rules are asked in the order they were set; the first one that ends the call wins."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(default="", max_length=64)
    """Name for DELETE /_sim/faults/{id}; made from the kind when not given."""
    kind: Kind
    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the matching calls it hits."""
    count: int | None = Field(default=None, ge=1)
    """Calls it hits before it is spent; None: no end."""
    codes: list[int] = Field(default_factory=list, max_length=100)
    """Meta error codes, taken at random with the seeded generator."""
    seconds: float = Field(default=1.0, ge=0, le=3600)
    """How long `slow` kinds wait and `webhook_delay` delays."""
    where: Literal["answer", "status", "both"] = "answer"
    """Where an `error` shows: in the answer, in a failed status after an accepting answer, or in both."""
    http: int | None = Field(default=None, ge=400, le=599)
    """HTTP status in place of the code's usual one."""
    path: Path = "messages"
    """Which calls it hits."""
    phone_number_id: str | None = None
    """Only calls of this business number."""
    to: str | None = None
    """Only sends to this customer."""
    hits: int = 0
    """Calls it has hit (told by GET, ignored by PUT)."""

    @model_validator(mode="after")
    def _complete(self) -> Fault:
        if not self.codes:
            self.codes = list(_DEFAULT_CODES.get(self.kind, []))
        if self.to is not None:
            key = self.to if USER_ID.match(self.to) else wa_id(self.to)
            if key is None:
                raise ValueError("to: must be a phone number or a business-scoped user id")
            self.to = key
        if self.where != "answer" and self.kind != "error":
            raise ValueError("where: only kind error can show in a status")
        if self.kind == "unreachable":
            self.path = "any"
        self.hits = 0
        return self

    @property
    def effect(self) -> Effect:
        """What the rule does: its kind, but for errors also where they show."""
        if self.kind == "error" and self.where != "answer":
            return "error_in_status" if self.where == "status" else "error_in_both"
        return self.kind


class Faults:
    """The rules in force, and the dice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._rules: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._rules)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._rules)

    def replace(self, rules: list[Fault]) -> None:
        """Put `rules` in place of all there are."""
        self._rules = []
        for rule in rules:
            self.add(rule)

    def add(self, rule: Fault) -> None:
        """Add a rule; one with the same id gives way."""
        if not rule.id:
            taken = {known.id for known in self._rules}
            rule.id = next(name for n in range(1, len(taken) + 2) if (name := f"{rule.kind}-{n}") not in taken)
        self._rules = [known for known in self._rules if known.id != rule.id]
        self._rules.append(rule)

    def remove(self, rule_id: str) -> None:
        """Remove a rule; `NotFound` when there is none of that id."""
        if all(rule.id != rule_id for rule in self._rules):
            raise NotFound(f"There is no fault {rule_id}: see GET /_sim/faults.")
        self._rules = [rule for rule in self._rules if rule.id != rule_id]

    def clear(self) -> None:
        """Remove all rules."""
        self._rules = []

    def hits(
        self, *effects: Effect, path: Path, phone_number_id: str | None = None, to: str | None = None
    ) -> Iterator[Fault]:
        """Yield the rules with these effects that hit a call, in order, and count each as it is taken."""
        for rule in self._rules:
            if (
                rule.effect in effects
                and (rule.path in (path, "any"))
                and (rule.phone_number_id is None or rule.phone_number_id == phone_number_id)
                and (rule.to is None or rule.to == to)
                and (rule.count is None or rule.hits < rule.count)
                and (rule.share >= 1 or self._rng.random() < rule.share)
            ):
                rule.hits += 1
                yield rule

    def code_of(self, rule: Fault) -> int:
        """Return one of a rule's error codes."""
        return rule.codes[0] if len(rule.codes) == 1 else self._rng.choice(rule.codes)
