"""Micro-batches: many callers, one statement; each caller gets the result of its own item."""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from blazz_chassis import metrics
from blazz_chassis.errors import DependencyDown, Unavailable

T = TypeVar("T")
R = TypeVar("R")

log = structlog.get_logger(__name__)

# Turns of the event loop until who was failed has had a turn to hold the rest back (a subscription shuts its gate);
# who submits in between is behind them. No more: callers who hold nobody back shall not be failed without a flush.
_STRAGGLING = 3


@dataclass(slots=True)
class _Entry(Generic[T, R]):
    item: T
    future: asyncio.Future[R]
    weight: int
    due: float  # loop time by which its batch is flushed at the latest


class Batcher(Generic[T, R]):
    """Collects items and hands them to `flush` in the order they came, one flush at a time.

    `flush(items)` returns one result an item, in the same order; a result that is an exception is raised to that
    item's caller alone. When `flush` itself raises, the batch is halved until the item to blame stands alone: its
    neighbours get through. So `flush` must be all or nothing (one transaction). A `DependencyDown` is everybody's: it
    is not searched for, and is raised, in order, to all who are in line, lest they overtake those whose flush met it.
    """

    def __init__(
        self,
        flush: Callable[[list[T]], Awaitable[Sequence[R | BaseException]]],
        *,
        name: str,
        max_items: int = 100,
        max_wait: float = 0.005,
        weigh: Callable[[T], int] | None = None,
    ) -> None:
        """`max_items`: weight of a batch (an item weighs 1 unless `weigh` says more).

        `max_wait`: seconds the first item waits for company.
        """
        self._do, self._weigh = flush, weigh
        self._max_items, self._max_wait = max_items, max_wait
        self._waiting: deque[_Entry[T, R]] = deque()
        self._flushing: list[_Entry[T, R]] = []
        self._weight = 0
        self._full = asyncio.Event()
        self._some = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._closing = False
        self._items = metrics.batch_items.labels(name)
        self._seconds = metrics.batch_seconds.labels(name)
        self.name = name

    async def submit(self, item: T) -> R:
        """Add an item and wait for its result. It is in line before the first suspension: callers keep their order."""
        if self._closing:
            raise Unavailable("this process is stopping; try again")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        weight = 1 if self._weigh is None else self._weigh(item)
        self._waiting.append(_Entry(item, future, weight, loop.time() + self._max_wait))
        self._weight += weight
        self._some.set()
        if self._weight >= self._max_items:
            self._full.set()
        if self._worker is None:
            # A context of its own: a flush belongs to no single caller's request.
            self._worker = loop.create_task(self._run(), name=f"batcher-{self.name}", context=contextvars.Context())
        return await future

    async def flush(self) -> None:
        """Wait until what is in line now has its result."""
        while unsettled := [e.future for e in (*self._flushing, *self._waiting) if not e.future.done()]:
            await asyncio.wait(unsettled)

    async def close(self) -> None:
        """Flush what is in line and stop. Later submits are refused."""
        self._closing = True
        self._some.set()
        self._full.set()
        if self._worker is not None:
            await self._worker

    def __len__(self) -> int:
        return len(self._waiting)

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            if not self._waiting:
                if self._closing:
                    return
                self._some.clear()
                continue
            if self._weight < self._max_items and not self._closing:
                # Counted from the arrival of the first: while a flush ran, company has come already.
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self._waiting[0].due):
                        await self._full.wait()
            self._flushing = self._take()
            try:
                await self._settle(self._flushing)
            except DependencyDown as error:
                await self._turn_away(error)
            self._flushing = []

    def _take(self) -> "list[_Entry[T, R]]":
        batch: list[_Entry[T, R]] = []
        weight = 0
        while self._waiting:
            first = self._waiting[0]
            if batch and weight + first.weight > self._max_items:
                break
            weight += first.weight
            batch.append(self._waiting.popleft())
        self._weight -= weight
        if self._weight < self._max_items and not self._closing:
            self._full.clear()
        self._items.observe(weight)
        return batch

    async def _turn_away(self, error: DependencyDown) -> None:
        """Fail what of the batch is not settled, and all who stand behind it, in their order."""
        for entry in self._flushing:
            _fail(entry.future, error)
        for _ in range(_STRAGGLING):
            while self._waiting:
                _fail(self._waiting.popleft().future, error)
            self._weight = 0
            if not self._closing:
                self._full.clear()
            await asyncio.sleep(0)

    async def _settle(self, batch: "list[_Entry[T, R]]") -> None:
        """Give each its result. Raises `DependencyDown` and leaves those unsettled who have none."""
        started = time.perf_counter()
        try:
            results = await self._do([entry.item for entry in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"flush of {self.name} returned {len(results)} results for {len(batch)} items")
        except DependencyDown:
            raise
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0].future, error)
                return
            log.warning("batch_halved", batcher=self.name, items=len(batch), error=repr(error))
            half = len(batch) // 2
            await self._settle(batch[:half])
            await self._settle(batch[half:])
        else:
            for entry, result in zip(batch, results, strict=True):
                if isinstance(result, BaseException):
                    _fail(entry.future, result)
                elif not entry.future.done():
                    entry.future.set_result(result)
        finally:
            self._seconds.observe(time.perf_counter() - started)


def _fail(future: "asyncio.Future[R]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
