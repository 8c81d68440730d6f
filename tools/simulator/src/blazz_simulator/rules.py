"""WhatsApp's own limits, off by default, switched on when a test wants them: `PUT /_sim/rules`."""

from __future__ import annotations

import time

from pydantic import BaseModel, ConfigDict, Field

from .graph.errors import GraphError
from .phones.phone import Phone

WINDOW_SECONDS = 24 * 3600.0


class RuleSettings(BaseModel):
    """Which limits hold."""

    model_config = ConfigDict(extra="forbid")

    window_24h: bool = False
    """Refuse free-form messages (131047) unless the customer wrote within the last 24 hours."""
    window_seconds: float = Field(default=WINDOW_SECONDS, gt=0)
    """Length of that window in seconds, for tests that cannot wait a day."""
    throughput: int | None = Field(default=None, ge=1)
    """Messages a second for one business number, above it 130429 (Meta: 80)."""
    pair_seconds: float | None = Field(default=None, gt=0)
    """Seconds between two messages to one recipient (Meta: 6), with a burst of `pair_burst`; above it 131056."""
    pair_burst: int = Field(default=45, ge=1)
    """Messages to one recipient that may borrow from later."""
    fetch_links: bool = False
    """Fetch media links as Meta does, and fail the message with 131053 when that does not work."""


class Rules:
    """The limits in force, and what they have counted. Windows and counters are kept by number and customer."""

    def __init__(self) -> None:
        self.settings = RuleSettings()
        self._last_inbound: dict[tuple[str, str], float] = {}
        self._second: dict[str, tuple[int, int]] = {}
        self._pairs: dict[tuple[str, str], float] = {}

    def use(self, settings: RuleSettings) -> None:
        """Let other limits hold from now on."""
        self.settings = settings
        self._second.clear()
        self._pairs.clear()

    def clear(self) -> None:
        """Go back to no limits, and forget who wrote."""
        self.use(RuleSettings())
        self._last_inbound.clear()

    def heard(self, phone_number_id: str, phone: Phone, at: float) -> None:
        """Note that a customer wrote: the window is open."""
        if len(self._last_inbound) >= 200_000:  # bound: the oldest half goes
            for key in list(self._last_inbound)[:100_000]:
                del self._last_inbound[key]
        self._last_inbound[phone_number_id, phone.key] = at

    def check(self, phone_number_id: str, key: str, is_template: bool) -> None:
        """Refuse a send that breaks a limit with `GraphError`."""
        settings = self.settings
        if settings.window_24h and not is_template:
            heard = self._last_inbound.get((phone_number_id, key), 0.0)
            if time.time() - heard > settings.window_seconds:
                raise GraphError(131047)
        if settings.throughput is not None:
            now = int(time.monotonic())
            second, sent = self._second.get(phone_number_id, (now, 0))
            sent = sent + 1 if second == now else 1
            if sent > settings.throughput:
                raise GraphError(130429)
            self._second[phone_number_id] = (now, sent)
        if settings.pair_seconds is not None:
            self._check_pair((phone_number_id, key), settings.pair_seconds, settings.pair_burst)

    def _check_pair(self, pair: tuple[str, str], every: float, burst: int) -> None:
        """Count by the generic cell rate algorithm: one number a pair says when its bucket is empty again."""
        now = time.monotonic()
        if len(self._pairs) >= 200_000:
            self._pairs = {known: empty for known, empty in self._pairs.items() if empty > now}
        empty_at = max(self._pairs.get(pair, 0.0), now) + every
        if empty_at - now > every * burst + 1e-9:
            raise GraphError(131056)
        self._pairs[pair] = empty_at
