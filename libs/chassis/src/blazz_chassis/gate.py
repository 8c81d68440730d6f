"""Holds back the messages of a queue while something they need is down."""

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from blazz_chassis import metrics
from blazz_chassis.errors import DependencyDown, Probe

log = structlog.get_logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between two probes


class Gate:
    """Open, or shut until a probe succeeds.

    Held messages stay unacked at this consumer: nothing is redelivered, no try and no delivery is burned, and prefetch
    sees to it that no more come. They wake in the order in which they came. Only after `hold` seconds, well before the
    broker's consumer_timeout, does the gate give up holding: it lets `retreat` cancel the consumer, and those who wait
    put their messages back.
    """

    def __init__(
        self, name: str, *, hold: float, retreat: Callable[[], Awaitable[None]], resume: Callable[[], Awaitable[None]]
    ) -> None:
        """`hold` is in seconds. `retreat` stops deliveries, `resume` starts them again."""
        self.name, self._hold = name, hold
        self._retreat, self._resume = retreat, resume
        self._changed = asyncio.Event()
        self._prober: asyncio.Task[None] | None = None
        self._gauge = metrics.paused.labels(name)
        self._pause = _FIRST_PAUSE
        self._since: float | None = None
        """Loop time at which the first message met it; a probe that succeeds says only that it is worth a try."""
        self.is_open = True
        self.giving_up = False
        self.reason: str | None = None

    def went_well(self) -> None:
        """A message was handled: what was down is up, and the next pause is short again."""
        self._pause, self._since = _FIRST_PAUSE, None

    async def passed(self) -> bool:
        """Wait until the gate is open. False: put the message back, it cannot be held any longer."""
        while not self.is_open:
            if self.giving_up:
                return False
            await self._changed.wait()
        return True

    def shut(self, error: DependencyDown) -> None:
        """Shut the gate until the probe of `error` succeeds. Without one, the next message is the probe."""
        if self._prober is not None and not self._prober.done():
            return
        self.is_open = False
        self.reason = error.code
        self._changed = asyncio.Event()
        self._gauge.set(1)
        log.warning("consumption_paused", queue=self.name, reason=error.code, detail=error.detail)
        # A context of its own: the pause belongs to the queue, not to the message that met it first.
        self._prober = asyncio.get_running_loop().create_task(
            self._until(error.probe), name=f"gate-{self.name}", context=contextvars.Context()
        )

    async def _until(self, probe: Probe | None) -> None:
        loop = asyncio.get_running_loop()
        self._since = self._since or loop.time()
        give_up_at = self._since + self._hold
        while True:
            # Spread, so that the instances of a service do not all knock at once.
            await asyncio.sleep(self._pause * random.uniform(0.8, 1.2))  # noqa: S311
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            try:
                if probe is not None:
                    async with asyncio.timeout(_LONGEST_PAUSE):
                        await probe()
            except Exception as error:
                log.info("dependency_still_down", queue=self.name, error=repr(error))
            else:
                if self.giving_up or loop.time() < give_up_at:
                    break
            if not self.giving_up and loop.time() >= give_up_at:
                await self._give_up()
        retreated, self.giving_up = self.giving_up, False
        self.is_open, self.reason = True, None
        if retreated:
            self._since = None  # nothing is held any more
        self._gauge.set(0)
        self._changed.set()
        log.info("consumption_resumed", queue=self.name)
        if retreated:
            await self._resume()

    async def _give_up(self) -> None:
        log.warning("messages_put_back", queue=self.name)
        with suppress(Exception):
            await self._retreat()
        self.giving_up = True
        self._changed.set()

    async def release(self) -> None:
        """Stop probing; those who wait put their messages back. For a shutdown."""
        if self._prober is not None and not self._prober.done():
            self._prober.cancel()
            with suppress(asyncio.CancelledError):
                await self._prober
        if not self.is_open:
            self.giving_up = True
            self._changed.set()
