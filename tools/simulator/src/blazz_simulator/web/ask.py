"""One request of a page, with what is needed to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .addresses import parse_key
from .device import Device
from .line import Line
from .message import WebMessage
from .page import Page
from .state import Web

Reply = dict[str, Any] | None
"""None: the answer comes later, or never."""

BAD_STANZA = 400
NOT_LINKED = 401
UNKNOWN = 404


class Refused(Exception):
    """WhatsApp's server says no; `code` is its error code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(slots=True, frozen=True)
class Ask:
    """`frame` is what the page sent."""

    state: Web
    line: Line
    page: Page
    device: Device
    frame: dict[str, Any]

    def text(self, name: str) -> str:
        """Return a field as text; empty when it is missing."""
        value = self.frame.get(name)
        return "" if value is None else str(value)

    def message(self, name: str) -> WebMessage:
        """Return the message whose key a field holds; `Refused` when there is none."""
        parsed = parse_key(self.text(name))
        message = None if parsed is None else self.line.messages.get(parsed[2])
        if message is None:
            raise Refused(UNKNOWN)
        return message

    def answer_later(self, reply: dict[str, Any]) -> None:
        """Answer after all, when the page is still there."""
        self.page.tell({"rid": self.frame["rid"], **reply})
