"""What the broker brings, and what happens then."""

from datetime import UTC, datetime
from typing import Protocol

from blazz_chassis.instance_queue import InstanceQueue
from blazz_contracts import Envelope, Event
from blazz_contracts.events import AccessRevoked, PresenceChanged, SocketTriggered

from blazz_notifier import channel_name, frame, metrics
from blazz_notifier.fanout import Batch, Fanout
from blazz_notifier.presence import Presence
from blazz_notifier.registry import Registry
from blazz_notifier.translation import WORKSPACE_EVENTS, batches, is_old_client_channel, is_workspace_channel

RESYNC = "blazz:resync"
RESYNC_SPREAD = 5
"""Seconds over which clients are asked to spread their catching up, so that they do not all ask at once."""


class Server(Protocol):
    """What is needed of the websocket server."""

    def revoke(self, event: AccessRevoked) -> None: ...  # noqa: D102
    def reconnect_all(self) -> None: ...  # noqa: D102


class Consumers:
    """Handlers of the instance's queue; called one at a time, in the broker's order."""

    def __init__(
        self, registry: Registry, fanout: Fanout, presence: Presence, server: Server, *, deaf_seconds: float
    ) -> None:
        """`deaf_seconds` without the broker are too many to go on with the sockets there are."""
        self._registry, self._fanout, self._presence, self._server = registry, fanout, presence, server
        self._deaf_seconds = deaf_seconds
        self._queue: InstanceQueue | None = None

    def install(self, queue: InstanceQueue) -> None:
        """Register with the queue."""
        self._queue = queue
        queue.on(*WORKSPACE_EVENTS)(self.tell)
        queue.on(SocketTriggered)(self.trigger)
        queue.on(PresenceChanged)(self.presence_changed)
        queue.on(AccessRevoked)(self.access_revoked)
        queue.on_gap = self.gap

    async def tell(self, event: Event, envelope: Envelope) -> None:
        """An event of the business, for those who watch the workspace."""
        for batch in batches(event, self._registry):
            await self._fanout.send(batch)
        metrics.delivery_lag_seconds.observe(max(0.0, (datetime.now(UTC) - envelope.timestamp).total_seconds()))

    async def trigger(self, event: SocketTriggered, _: Envelope) -> None:
        """A client event, or one triggered over HTTP."""
        for name in event.channels:
            # Whoever publishes for one workspace cannot speak on another's channels.
            if not self._registry.has(name) or channel_name.read(name).workspace_id != event.workspace_id:
                continue
            batch = Batch(name)
            batch.add(
                frame.message(event.event, channel=name, encoded=event.data, user_id=event.user_id),
                event.except_socket_id,
            )
            await self._fanout.send(batch)

    async def presence_changed(self, event: PresenceChanged, _: Envelope) -> None:
        """Somebody came or went on some instance."""
        self._presence.hint(event.channel, event.user_id)

    async def access_revoked(self, event: AccessRevoked, _: Envelope) -> None:
        """A token or membership ended."""
        self._server.revoke(event)

    async def gap(self, reason: str) -> None:
        """Something may have been missed: clients catch up from the change feed.

        Ends of access are told again for an hour; after a longer absence nobody knows whose sockets these still are.
        """
        if self._queue is not None and self._queue.away_seconds >= self._deaf_seconds:
            self._server.reconnect_all()
        for channel, _ in list(self._registry.channels()):
            if is_workspace_channel(channel) or is_old_client_channel(channel):
                batch = Batch(channel.name)
                batch.add(frame.message(RESYNC, {"reason": reason, "spread_seconds": RESYNC_SPREAD}, channel.name))
                await self._fanout.send(batch)
        self._presence.compare_all()
