"""One client's connection."""

import asyncio
import secrets
from typing import Any
from uuid import UUID

from websockets.asyncio.server import Server, ServerConnection
from websockets.protocol import State
from websockets.server import ServerProtocol

from blazz_notifier import metrics
from blazz_notifier.channel_name import ChannelName
from blazz_notifier.presence_rows import Row
from blazz_notifier.token_bucket import TokenBucket


def new_socket_id() -> str:
    """`{number}.{number}`, as Pusher's; random, so that it is the only one of its kind on all instances."""
    return f"{secrets.randbelow(10**9)}.{secrets.randbelow(10**9)}"


class Socket(ServerConnection):
    """A websocket connection with what the Pusher protocol knows of it.

    Writing never waits: a frame goes to the transport, and when that holds more than its limit the reader is too slow
    and is cut off. So nobody waits for anybody.
    """

    def __init__(self, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self.socket_id = new_socket_id()
        self.memberships: dict[str, Row] = {}
        """Presence channels it is on, and as whom."""
        self.channels: dict[str, ChannelName] = {}
        """Every channel it is subscribed to."""
        self.pending: dict[str, asyncio.Task[None]] = {}
        """Subscriptions that wait for the broker or the database."""
        self.workspaces: dict[UUID, int] = {}
        """How many of its subscriptions (pending ones too) each workspace has."""
        self.barred: set[UUID] = set()
        """Workspaces it was shut out of."""
        self.heard_at = self.loop.time()
        """When it last sent anything (seconds of the loop's clock)."""
        self.opened_at = self.heard_at
        self.address = ""
        """Whom it is counted as, by address."""
        self.signed = 0
        """How many of its subscriptions (pending ones too) somebody signed."""
        self.stranger_since = self.opened_at
        self.pinged_at: float | None = None
        self.messages: TokenBucket | None = None
        self.client_events: TokenBucket | None = None
        self.slow = False
        self.leaving = False

    @property
    def open(self) -> bool:
        """Whether frames can be written."""
        return self.protocol.state is State.OPEN and not self.transport.is_closing()

    def write(self, frames: bytes, count: int = 1) -> bool:
        """Hand over whole frames; False when the socket is closed."""
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        self.transport.write(frames)
        metrics.frames_sent.inc(count)
        metrics.bytes_sent.inc(len(frames))
        return True

    def data_received(self, data: bytes) -> None:
        """Note that the client lives, whatever it sent (websocket pings count)."""
        self.heard_at = self.loop.time()
        self.pinged_at = None
        super().data_received(data)

    def pause_writing(self) -> None:
        """The transport holds more than its limit: the reader is too slow, and is cut off."""
        super().pause_writing()
        if not self.slow:
            self.slow = True
            metrics.slow_readers_cut.inc()
            # Not from within the write that filled the buffer.
            self.loop.call_soon(self.transport.abort)
