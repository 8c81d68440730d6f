"""A group that a linked phone is in."""

from __future__ import annotations

import time
from typing import Any

from .addresses import address_of


class Group:
    """Its members are numbers: the linked phone itself and customers."""

    def __init__(self, address: str, subject: str, owner: str, members: list[str]) -> None:
        self.address = address
        self.subject = subject
        self.owner = owner
        self.members = members
        self.created = int(time.time())

    def kept(self) -> dict[str, Any]:
        """Return all of it, as it is written down."""
        return {name: getattr(self, name) for name in ("address", "subject", "owner", "members", "created")}

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> Group:
        """Return a group as it was written down."""
        group = cls(kept["address"], kept["subject"], kept["owner"], kept["members"])
        group.created = kept["created"]
        return group

    def view(self) -> dict[str, Any]:
        """Return the group as pages and the control API show it."""
        return {
            "id": self.address,
            "subject": self.subject,
            "owner": address_of(self.owner, True),
            "creation": self.created,
            "participants": [
                {"id": address_of(m, True), "pn": f"{m}@c.us", "isAdmin": m == self.owner} for m in self.members
            ],
        }
