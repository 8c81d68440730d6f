"""Facts as they come from the page: each is read by its model; what cannot be read is counted, and told once a kind."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from pydantic import ValidationError

from blazz_webjs_bridge.page.facts import FACT, Fact

BATCH_CHARACTERS = 100_000_000
"""Of one message from the page: 200 facts, of which each has 400,000 at most."""
KINDS = 50
"""Kinds of garbage that are told apart."""

log = structlog.get_logger(__name__)


class FactReader:
    """Hands facts on in the order they came. A page that talks nonsense cannot stop it."""

    def __init__(self, on_fact: Callable[[Fact], None]) -> None:
        self.unreadable: Counter[str] = Counter()
        """How many could not be read, by kind."""
        self._on_fact = on_fact

    def take(self, batch: object) -> None:
        """Read what the page sent: a JSON array of facts."""
        try:
            if not isinstance(batch, str) or len(batch) > BATCH_CHARACTERS:
                raise ValueError("not a text, or too long")
            facts = json.loads(batch)
            if not isinstance(facts, list):
                raise ValueError("not a list")
        except (ValueError, RecursionError):
            self._garbage("batch", [])
            return
        for fact in facts:
            self._take_one(fact)

    def _take_one(self, raw: Any) -> None:
        try:
            fact = FACT.validate_python(raw)
        except (ValidationError, RecursionError) as error:
            kind = raw.get("kind") if isinstance(raw, dict) else None
            self._garbage(kind if isinstance(kind, str) else "none", _places(error))
            return
        try:
            self._on_fact(fact)
        except Exception:
            log.exception("page_fact_not_taken", kind=fact.kind)

    def _garbage(self, kind: str, places: list[str]) -> None:
        kind = kind[:50] if kind[:50] in self.unreadable or len(self.unreadable) < KINDS else "other"
        self.unreadable[kind] += 1
        if self.unreadable[kind] == 1:
            # Where it is wrong, never what it says: that may be somebody's message.
            log.warning("page_fact_unreadable", kind=kind, places=places)


def _places(error: Exception) -> list[str]:
    if not isinstance(error, ValidationError):
        return []
    errors = error.errors(include_input=False, include_url=False, include_context=False)
    return [f"{'.'.join(str(part) for part in each['loc'])}: {each['type']}" for each in errors[:5]]
