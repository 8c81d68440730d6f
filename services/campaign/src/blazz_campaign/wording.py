"""What each recipient gets: the text or template with their own values in its `{{name}}` places.

Compiled once a campaign, so that a recipient costs a join of strings.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
from blazz_contracts.message import Failure

_PLACE = re.compile(r"\{\{\s*([^{}]{1,64}?)\s*\}\}")
_LONGEST_TEXT = 4096  # Meta: "Messages", text.body
# Characters of a whole content; a template's parts have 1,024 at most (Meta: "Template components"). What is far beyond
# could not even be handed over (`MessageTooLarge`), and a list that waits for that waits for ever.
LONGEST = 100_000


class Wording:
    """Content with places."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """`content` as `blazz_contracts.content` has it: a text, or a template whose components have places."""
        mark = uuid4().hex  # stands for a place while the content is turned into JSON; occurs in no content
        names: list[str] = []

        def placed(found: re.Match[str]) -> str:
            names.append(found[1])
            return mark

        def marked(value: Any) -> Any:
            if isinstance(value, str):
                return _PLACE.sub(placed, value)
            if isinstance(value, Mapping):
                return {key: marked(each) for key, each in value.items()}
            if isinstance(value, list):
                return [marked(each) for each in value]
            return value

        # Where places are allowed: a template's name and language are no text.
        part = "body" if content["type"] == "text" else "components"
        changed = {**content, part: marked(content[part])}
        self._literals = orjson.dumps(changed).decode().split(mark)
        self._names = names
        self.names = frozenset(names)
        self.length = sum(map(len, self._literals))
        """Characters without the values."""
        self._text: list[str] | None = changed["body"].split(mark) if part == "body" else None

    def refusal(self, variables: Mapping[str, str]) -> Failure | None:
        """Why this recipient cannot be written to, if so. WhatsApp takes no empty parameter: it counts as missing."""
        missing = sorted(name for name in self.names if not variables.get(name, "").strip())
        if missing:
            return Failure(
                code="missing_variable",
                title=f"The list has no value for {', '.join(missing)}: this recipient was not written to."[:1000],
            )
        if self.names and self.length + sum(len(variables[name]) for name in self._names) > LONGEST:
            return Failure(
                code="content_too_long", title=f"With this recipient's values it has over {LONGEST:,} characters."
            )
        if self._text is not None and self.names:
            length = sum(map(len, self._text)) + sum(len(variables[name]) for name in self._names)
            if length > _LONGEST_TEXT:
                return Failure(
                    code="text_too_long",
                    title=f"With this recipient's values the text has {length} characters; 4096 are allowed.",
                )
        return None

    def json(self, variables: Mapping[str, str]) -> str:
        """The content for a recipient that was not refused, as JSON."""
        if not self._names:
            return self._literals[0]
        parts = [self._literals[0]]
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            parts.append(orjson.dumps(variables[name])[1:-1].decode())
            parts.append(literal)
        return "".join(parts)
