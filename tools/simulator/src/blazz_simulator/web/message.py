"""One message as a linked phone and its pages know it."""

from __future__ import annotations

import time
from typing import Any

from ..message import Message
from .addresses import message_key

ACKS = {"sent": 1, "delivered": 2, "read": 3, "played": 4}
"""WhatsApp's numbers for the ticks; -1 is refused, 0 not sent yet."""


class WebMessage:
    """What both sides of a chat see. `raw` holds the type's fields under WhatsApp Web's own names."""

    __slots__ = ("ack", "at", "copies", "from_me", "id", "latest_edit", "me", "notify_name", "participant", "raw",
                 "reactions", "remote", "sender", "to_group", "type", "via")  # fmt: skip

    def __init__(
        self, *, hex_: str, remote: str, from_me: bool, me: str, type_: str, raw: dict[str, Any],
        sender: str | None = None, participant: str | None = None, notify_name: str = "", via: str = "customer",
    ) -> None:  # fmt: skip
        self.id = hex_
        self.remote = remote
        self.from_me = from_me
        self.me = me
        """The linked phone's own address in this chat."""
        self.type = type_
        self.raw = raw
        self.sender = sender
        """Digits of the customer who wrote it; None when the business did."""
        self.participant = participant
        """In a group, the address of who wrote it."""
        self.notify_name = notify_name
        self.via = via
        """Who sent it: `web` (a page), `phone` (the phone itself), `customer`."""
        self.at = time.time()
        self.ack = 1 if from_me else 0
        self.latest_edit: str | None = None
        self.reactions: dict[str, dict[str, Any]] = {}
        """By who reacted: `{text, key, t}`, `t` in milliseconds."""
        self.copies: list[Message] = []
        """The same message on the customers' phones."""

    @property
    def key(self) -> str:
        """The whole key, as pages and the ledger know it."""
        return message_key(self.from_me, self.remote, self.id, self.participant)

    def view(self) -> dict[str, Any]:
        """Return the message as it travels to a page."""
        shown = {
            **self.raw,
            "id": self.key,
            "from": self.me if self.from_me else self.remote,
            "to": self.remote if self.from_me else self.me,
            "type": self.type,
            "t": int(self.at),
            "sort": self.at * 1000,
            "ack": self.ack if self.from_me else ACKS["sent"],
        }
        if self.participant is not None:
            shown["author"] = self.participant
        if self.sender is not None:
            shown["senderPn"] = f"{self.sender}@c.us"
            shown["notifyName"] = self.notify_name
        if self.latest_edit is not None:
            shown["latestEditMsgKey"] = self.latest_edit
        if self.reactions:
            shown["reactions"] = self.reactions
        return shown
