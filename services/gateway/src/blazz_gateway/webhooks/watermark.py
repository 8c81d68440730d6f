"""Up to when every webhook we got stands in the queue: what `webhooks.alive` says.

Chat settles sends by it: while it advances without a gap, a send that brought no status did not happen. So it must
never be ahead of a webhook that we hold, and must break off when we turned one away.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from blazz_chassis.errors import BlazzError
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import WebhooksAlive

log = structlog.get_logger(__name__)

NOBODY = UUID(int=0)
GAP = 3.5
"""Intervals of silence after a webhook was turned away: more than the three that chat takes for an outage."""


class Watermark:
    """Knows the webhooks that were not confirmed yet."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two `webhooks.alive`."""
        self._interval = interval
        self._open: dict[int, datetime] = {}
        self._next = 0
        self._silent_until: datetime | None = None

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the mark at this moment until the block is left.

        Leaving it by an error of ours (5xx, a crash, a cancellation) turns the webhook away. One that was not signed,
        or says nothing that we may take, is no loss: else anybody could hold the mark back.
        """
        number, self._next = self._next, self._next + 1
        self._open[number] = datetime.now(UTC)
        try:
            yield
        except BaseException as error:
            if not isinstance(error, BlazzError) or error.status >= 500:
                self._turned_away()
            raise
        finally:
            del self._open[number]

    def _turned_away(self) -> None:
        # The provider will deliver it again, nobody knows when.
        self._silent_until = datetime.now(UTC) + timedelta(seconds=GAP * self._interval)

    def mark(self) -> datetime | None:
        """When the oldest unconfirmed webhook arrived, else now; None while nothing can be said."""
        now = datetime.now(UTC)
        if self._silent_until is not None and now < self._silent_until:
            return None
        # A dict keeps the order of arrival.
        return next(iter(self._open.values()), now)

    async def tell(self, publisher: Publisher, instance: str) -> None:
        """Publish the mark. Raises `BrokerUnavailable`."""
        at = self.mark()
        if at is not None:
            await publisher.publish(
                WebhooksAlive(workspace_id=NOBODY, instance=instance, at=at, interval=self._interval)
            )

    async def tell_until(self, stopping: asyncio.Event, publisher: Publisher, instance: str) -> None:
        """Publish the mark at every interval until this is set. A broker that is away is waited for."""
        while not stopping.is_set():
            try:
                await self.tell(publisher, instance)
            except BlazzError as error:
                log.warning("webhooks_alive_untold", reason=error.code)
            await asyncio.sleep(self._interval)
