"""Acks, many in one frame: what a micro-batch has committed at once is acked at once."""

import asyncio
from collections import deque

import structlog
from aiormq import Channel

log = structlog.get_logger(__name__)


class Acks:
    """The deliveries of one channel that are not settled yet.

    All acks of one turn of the event loop go out together: those without a gap before them as one frame (`multiple`),
    the others each for itself. None waits for a neighbour.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._open: deque[int] = deque()  # delivery tags in their order, settled ones among them
        self._settled: set[int] = set()
        self._to_ack: list[int] = []
        self._flushing: asyncio.Task[None] | None = None
        self._last = 0

    def delivered(self, tag: int) -> None:
        """Note a delivery. Tags come in growing order; those left out went to nobody, and are never acked."""
        # RabbitMQ counts a channel's deliveries from 1 without a gap, so a gap is something we did not see.
        self._open.extend(range(self._last + 1, tag + 1))
        self._last = tag

    def ack(self, tag: int) -> None:
        """Ack this delivery, in this turn of the loop. What cannot be acked (the channel is gone) comes again."""
        self._settled.add(tag)
        self._to_ack.append(tag)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    async def put_back(self, tag: int) -> None:
        """Return this delivery to its queue. Raises when the channel is gone."""
        # Settled only when that is written: while the nack waits for room in the connection's line (aiormq's holds ten
        # frames), a `multiple` ack of those after it may find room first, and would ack this one, too.
        await self.channel.basic_nack(tag, requeue=True)
        self._settled.add(tag)

    async def flushed(self) -> None:
        """Wait until the acks so far are written."""
        while self._flushing is not None:
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        try:
            while self._to_ack:
                tags, self._to_ack = self._to_ack, []
                waiting = set(tags)
                last = None
                while self._open and self._open[0] in self._settled:
                    tag = self._open.popleft()
                    self._settled.discard(tag)
                    if tag in waiting:
                        # Everything before it is settled: a `multiple` ack up to here says no more than is true.
                        waiting.discard(tag)
                        last = tag
                if last is not None:
                    await self.channel.basic_ack(last, multiple=True)
                for tag in sorted(waiting):
                    await self.channel.basic_ack(tag)
        except Exception as error:
            # The channel these came on is gone; they come again, and handlers know them by their id or key.
            log.info("acks_lost", error=repr(error))
        finally:
            self._flushing = None
