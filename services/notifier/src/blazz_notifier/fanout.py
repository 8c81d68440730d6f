"""One message to many sockets."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets.protocol import State

from blazz_notifier import metrics
from blazz_notifier.registry import Registry

SLICE = 0.005  # seconds of writing before others get a turn: a fan-out to 10,000 sockets takes ten of them


@dataclass(slots=True)
class Batch:
    """Frames for one channel, in order, each with the socket that caused it (and does not get it)."""

    channel: str
    frames: list[bytes] = field(default_factory=list)
    excluded: dict[str, set[int]] = field(default_factory=dict)

    def add(self, frame: bytes, except_socket_id: str | None = None) -> None:
        """Add a frame."""
        if except_socket_id:
            self.excluded.setdefault(except_socket_id, set()).add(len(self.frames))
        self.frames.append(frame)

    def without(self, positions: set[int]) -> list[bytes]:
        """The frames but those at these positions."""
        return [frame for position, frame in enumerate(self.frames) if position not in positions]


class Fanout:
    """Writes frames to a channel's listeners: one write a socket, however many frames."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.perf_counter) -> None:
        self._registry, self._clock = registry, clock

    async def send(self, batch: Batch) -> None:
        """Write the batch to everybody who listens now. Lets others work every few milliseconds."""
        listeners = self._registry.listeners(batch.channel)
        if not listeners or not batch.frames:
            return
        joined, count = b"".join(batch.frames), len(batch.frames)
        excluded = batch.excluded
        frames = size = 0
        turn = self._clock() + SLICE
        # A copy: who comes or goes while others have their turn changes the original.
        for number, socket in enumerate(list(listeners.values())):
            if number % 64 == 63 and self._clock() > turn:
                await asyncio.sleep(0)
                turn = self._clock() + SLICE
            data, amount = joined, count
            if excluded and (positions := excluded.get(socket.socket_id)) is not None:
                kept = batch.without(positions)
                if not kept:
                    continue
                data, amount = b"".join(kept), len(kept)
            if socket.protocol.state is State.OPEN and not socket.transport.is_closing():
                socket.transport.write(data)
                frames += amount
                size += len(data)
        metrics.frames_sent.inc(frames)
        metrics.bytes_sent.inc(size)

    def send_now(self, channel: str, frame: bytes, except_socket_id: str | None = None) -> None:
        """Write one frame to everybody who listens, without a pause: for what must not be overtaken."""
        for socket in self._registry.listeners(channel).values():
            if socket.socket_id != except_socket_id:
                socket.write(frame)
