"""A page that waits to be linked, and the codes it shows."""

from __future__ import annotations

import asyncio
import base64
import random
import secrets
import string
import time
from typing import TYPE_CHECKING, Any

from .device import moment
from .settings import WebSettings

if TYPE_CHECKING:
    from .page import Page

_random = random.SystemRandom()
_LETTERS = "".join(sorted(set(string.ascii_uppercase + string.digits) - set("0OI1U")))
"""WhatsApp's pairing codes leave out what people mistake."""

CODES_REMEMBERED = 100
"""Codes of one page that are answered with "expired" instead of "unknown"."""


class Waiting:
    """One page. Its QR holds a changing reference of the server's and three keys of its own."""

    def __init__(self, number: int, page: Page, keys: dict[str, str], settings: WebSettings, platform: str) -> None:
        self.id = f"waiting:{number}"
        self.page = page
        self.keys = keys
        self.platform = platform
        self.settings = settings
        self.since = time.time()
        self.ref: str | None = None
        self.pairing_code: str | None = None
        self.pairing_phone: str | None = None
        self.expired: list[str] = []
        self._shown = 0
        self._timer: asyncio.TimerHandle | None = None
        self._pairing_timer: asyncio.TimerHandle | None = None

    @property
    def code(self) -> str | None:
        """The whole text of the QR code shown now, or None when the page is idle."""
        return None if self.ref is None else self._code(self.ref)

    def _code(self, ref: str) -> str:
        return ",".join((ref, self.keys["static"], self.keys["identity"], self.keys["secret"]))

    def show_first(self) -> None:
        """Show the first code, which stays longer."""
        self._shown = 0
        self._show(self.settings.first_code_seconds)

    def _show(self, seconds: float) -> None:
        self._expire()
        self._shown += 1
        self.ref = "2@" + base64.b64encode(secrets.token_bytes(96)).decode()
        self.page.tell({"k": "ref", "ref": self.ref, "ttl": seconds, "n": self._shown})
        self._timer = asyncio.get_running_loop().call_later(seconds, self._next)

    def _next(self) -> None:
        if self._shown < self.settings.codes:
            self._show(self.settings.code_seconds)
            return
        self._expire()
        self.page.tell({"k": "idle"})

    def _expire(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.ref is not None:
            self.expired = [*self.expired[-CODES_REMEMBERED:], self.ref]
            self.ref = None

    def pair_by_code(self, phone: str) -> str:
        """Return a new pairing code for a phone."""
        self.pairing_code = "".join(_random.choices(_LETTERS, k=8))
        self.pairing_phone = phone
        if self._pairing_timer is not None:
            self._pairing_timer.cancel()
        self._pairing_timer = asyncio.get_running_loop().call_later(
            self.settings.pairing_seconds, self._pairing_expired
        )
        return self.pairing_code

    def _pairing_expired(self) -> None:
        self.pairing_code = None
        self.page.tell({"k": "pairing_expired"})

    def stop(self) -> None:
        """Show no more codes."""
        self._expire()
        if self._pairing_timer is not None:
            self._pairing_timer.cancel()
        self.pairing_code = None

    def view(self) -> dict[str, Any]:
        """Return the page as GET /_sim/web/devices lists it."""
        return {
            "id": self.id,
            "phone": self.pairing_phone if self.pairing_code else None,
            "lid": None,
            "state": "waiting",
            "code": self.code,
            "pairing_code": self.pairing_code,
            "linked_with": None,
            "platform": self.platform,
            "user_agent": self.page.user_agent,
            "waiting_since": moment(self.since),
            "linked_at": None,
            "connected_since": None,
            "pages": 1,
            "sends": 0,
            "duplicates": 0,
            "repeats": 0,
            "events_waiting": 0,
        }
