"""A customer's phone: who it belongs to and the messages on it."""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any

from ..identifiers import USER_ID, user_id_of
from ..message import Message

_FIRST = ("Ada", "Amir", "Bea", "Chidi", "Dana", "Elif", "Farah", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena",
          "Mateo", "Nia", "Omar")  # fmt: skip
_LAST = ("Acar", "Bauer", "Costa", "Diaz", "Eze", "Fischer", "Gupta", "Haddad", "Ito", "Jansen", "Khan", "Lopez",
         "Mensah", "Novak", "Okafor", "Putri")  # fmt: skip


class Phone:
    """One customer. With a phone number, a business-scoped user id, or both."""

    __slots__ = ("key", "last_account", "messages", "name", "unread", "user_id", "wa_id")

    def __init__(self, key: str, messages_max: int, user_ids: bool) -> None:
        self.key = key
        """The number's digits, or the user id of a customer who hides the number."""
        is_user = USER_ID.match(key) is not None
        self.wa_id = None if is_user else key
        self.user_id = key if is_user else (user_id_of(key) if user_ids else None)
        digest = zlib.crc32(key.encode())
        self.name = f"{_FIRST[digest & 15]} {_LAST[digest >> 4 & 15]}"
        self.messages: deque[Message] = deque(maxlen=messages_max)
        self.unread = 0
        self.last_account: str | None = None
        """Key of the business that wrote last, or was written to last: its phone number id, or linked number."""

    def add(self, message: Message) -> None:
        """Put a message on the phone."""
        self.messages.append(message)
        self.last_account = message.account.key
        if message.author == "business":
            self.unread += 1

    def find(self, wamid: str) -> Message | None:
        """Return a message of this phone by its id."""
        return next((m for m in reversed(self.messages) if m.wamid == wamid), None)

    def contact(self) -> dict[str, Any]:
        """Return the customer as webhooks' `contacts[]` show one."""
        shown: dict[str, Any] = {"profile": {"name": self.name}}
        if self.wa_id is not None:
            shown["wa_id"] = self.wa_id
        if self.user_id is not None:
            shown["user_id"] = self.user_id
        return shown

    def view(self) -> dict[str, Any]:
        """Return the phone as GET /_sim/phones lists it."""
        last = self.messages[-1] if self.messages else None
        return {
            "number": self.key,
            "wa_id": self.wa_id,
            "user_id": self.user_id,
            "name": self.name,
            "messages": len(self.messages),
            "unread": self.unread,
            "last": last.view() if last is not None else None,
        }
