"""Message templates of each WABA: what may be sent outside the 24-hour window."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Literal

from .identifiers import numeric_id

Status = Literal["PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION"]

VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


def variables(text: str) -> list[str]:
    """Return the names of a text's variables, each once, in order."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


class Template:
    """One template in one language."""

    def __init__(
        self,
        waba_id: str,
        name: str,
        language: str,
        category: str,
        components: list[dict[str, Any]],
        parameter_format: str = "POSITIONAL",
        status: Status = "PENDING",
    ) -> None:
        self.id = numeric_id()
        self.waba_id = waba_id
        self.name = name
        self.language = language
        self.category = category
        self.components = components
        self.parameter_format = parameter_format
        self.status: Status = status
        self.quality = "UNKNOWN"
        self.rejected_reason = "NONE"
        self.created = time.time()

    def component(self, type_: str) -> dict[str, Any] | None:
        """Return the component of a type (HEADER, BODY, FOOTER, BUTTONS), or None."""
        return next((c for c in self.components if str(c.get("type", "")).upper() == type_), None)

    def view(self) -> dict[str, Any]:
        """Return the template as the Graph API lists it."""
        return {
            "name": self.name,
            "parameter_format": self.parameter_format,
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "quality_score": {"score": self.quality, "date": int(self.created)},
            "rejected_reason": self.rejected_reason,
            "id": self.id,
        }


def _samples(waba_id: str) -> Iterator[Template]:
    """Yield the templates each WABA has from the start: Meta's own, and one with variables to try campaigns with."""
    yield Template(
        waba_id,
        "hello_world",
        "en_US",
        "UTILITY",
        [
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            {
                "type": "BODY",
                "text": "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp "
                "message notification from the Cloud API, hosted by Meta. Thank you for taking the time to test "
                "with us.",
            },
            {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
        ],
        status="APPROVED",
    )
    yield Template(
        waba_id,
        "order_update",
        "en_US",
        "UTILITY",
        [
            {
                "type": "BODY",
                "text": "Hello {{1}}, your order {{2}} is on its way.",
                "example": {"body_text": [["Ada", "A-1001"]]},
            },
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Where is it?"}]},
        ],
        status="APPROVED",
    )


class Templates:
    """The templates of every WABA."""

    def __init__(self) -> None:
        self._by_waba: dict[str, dict[tuple[str, str], Template]] = {}
        self._by_id: dict[str, Template] = {}

    def _of(self, waba_id: str) -> dict[tuple[str, str], Template]:
        own = self._by_waba.get(waba_id)
        if own is None:
            own = self._by_waba[waba_id] = {}
            for template in _samples(waba_id):
                self.add(template)
        return own

    def of_waba(self, waba_id: str) -> list[Template]:
        """Return a WABA's templates, oldest first."""
        return list(self._of(waba_id).values())

    def find(self, waba_id: str, name: str, language: str) -> Template | None:
        """Return a template by name and language, or None."""
        return self._of(waba_id).get((name, language))

    def by_id(self, template_id: str) -> Template | None:
        """Return a template by its id, or None."""
        return self._by_id.get(template_id)

    def add(self, template: Template) -> None:
        """Add a template, or replace the one of the same name and language."""
        own = self._of(template.waba_id)
        if (old := own.get((template.name, template.language))) is not None:
            self._by_id.pop(old.id, None)
        own[template.name, template.language] = template
        self._by_id[template.id] = template

    def remove(self, template: Template) -> None:
        """Delete a template."""
        self._of(template.waba_id).pop((template.name, template.language), None)
        self._by_id.pop(template.id, None)

    def clear(self) -> None:
        """Delete all but the samples."""
        self._by_waba.clear()
        self._by_id.clear()
