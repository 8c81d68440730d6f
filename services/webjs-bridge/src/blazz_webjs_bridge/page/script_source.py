"""Our script in the page: its files in order, with what it is told by the bridge in front, as one source."""

import json
from importlib import resources

from blazz_webjs_bridge.page.contract import FUNCTIONS

FILES = ("core", "people", "messages", "facts", "heart", "files", "sends", "history", "calls")
"""In order; each may use what stands before it, and functions of those behind it once all are read."""
TELL = "__blazzTell"
"""The binding by which facts come to us."""
ANSWER_CHARACTERS = 32_000_000
"""Of one answer. The largest, a page of the history with 1000 long messages, has a few million."""


def settings() -> str:
    """What stands in front of wa-js."""
    return _file("before")


def source(origin: str) -> str:
    """The whole script for a site, in one scope of its own."""
    told = {
        "ORIGIN": origin,
        "TELL": TELL,
        "FUNCTIONS": [function.path for function in FUNCTIONS],
        "ANSWER_CHARACTERS": ANSWER_CHARACTERS,
    }
    head = [f"const {name} = {json.dumps(value)};" for name, value in told.items()]
    return "\n".join(["(() => {", '"use strict";', *head, *(_file(name) for name in FILES), "})();"])


def _file(name: str) -> str:
    return (resources.files("blazz_webjs_bridge.page") / "script" / f"{name}.js").read_text()
