"""A browser profile that is linked to a phone."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .page import Page

_KEPT = ("number", "token", "user_agent", "platform", "code", "linked_at")

State = Literal["waiting", "linking", "online", "away", "logged_out"]


def moment(at: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


class Device:
    """It stays linked while its browser is away; what happens meanwhile waits in its phone's log."""

    def __init__(self, number: int, phone: str, user_agent: str, platform: str, code: str) -> None:
        self.id = f"{phone}:{number}"
        self.number = number
        self.phone = phone
        self.token = secrets.token_hex(16)
        self.user_agent = user_agent
        self.platform = platform
        self.code = code
        """The QR or pairing code it was linked with."""
        self.linked_at = time.time()
        self.connected_since: float | None = None
        self.state: State = "linking"
        self.pages: list[Page] = []
        """Open pages, the one in use last."""
        self.seen = 0
        """Number of the last event its storage has."""
        self.sends = 0
        self.duplicates = 0
        """Sends of an id that was known already, other than the page's own repeats after a cut connection."""
        self.repeats = 0
        self.offline_until = 0.0
        """Loop time until which its connections are refused."""

    def kept(self) -> dict[str, Any]:
        """Return what makes a restarted simulator know the device, and its page, again."""
        return {name: getattr(self, name) for name in _KEPT}

    @classmethod
    def restored(cls, phone: str, kept: dict[str, Any]) -> Device:
        """Return a device as it was written down, whose page is away."""
        device = cls(kept["number"], phone, kept["user_agent"], kept["platform"], kept["code"])
        device.token, device.linked_at, device.state = kept["token"], kept["linked_at"], "away"
        return device

    @property
    def page(self) -> Page | None:
        """The page in use, or None."""
        return next((page for page in self.pages if page.active), None)

    def view(self, lid: str, waiting: int) -> dict[str, Any]:
        """Return the device as GET /_sim/web/devices lists it."""
        return {
            "id": self.id,
            "phone": self.phone,
            "lid": lid,
            "state": self.state,
            "code": None,
            "pairing_code": None,
            "linked_with": self.code,
            "platform": self.platform,
            "user_agent": self.user_agent,
            "waiting_since": None,
            "linked_at": moment(self.linked_at),
            "connected_since": moment(self.connected_since),
            "pages": len(self.pages),
            "sends": self.sends,
            "duplicates": self.duplicates,
            "repeats": self.repeats,
            "events_waiting": waiting,
        }
