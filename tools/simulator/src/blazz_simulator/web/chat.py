"""One chat of a linked phone."""

from __future__ import annotations

from collections import deque

from .message import WebMessage


class Chat:
    """Messages oldest first, and how many the business has not read."""

    __slots__ = ("messages", "person", "remote", "unread")

    def __init__(self, remote: str, person: str | None) -> None:
        self.remote = remote
        self.person = person
        """The customer's digits; None for a group."""
        self.messages: deque[WebMessage] = deque()
        self.unread = 0

    def before(self, hex_: str | None, count: int) -> list[WebMessage]:
        """Return up to `count` messages before one (or the newest), oldest first."""
        found: list[WebMessage] = []
        skipping = hex_ is not None
        for message in reversed(self.messages):
            if skipping:
                skipping = message.id != hex_
                continue
            found.append(message)
            if len(found) == count:
                break
        return found[::-1]

    def after(self, hex_: str, count: int) -> list[WebMessage]:
        """Return up to `count` messages after one, oldest first."""
        found: list[WebMessage] = []
        seen = False
        for message in self.messages:
            if seen:
                found.append(message)
                if len(found) == count:
                    break
            seen = seen or message.id == hex_
        return found
