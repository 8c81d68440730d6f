"""The way of one business number's webhooks to its receiver: batched, bounded, tried again until a 200."""

from __future__ import annotations

import asyncio
import heapq
import io
from collections import deque
from collections.abc import Iterable
from itertools import count, islice

import aiohttp
import structlog

from ..accounts import Account
from ..settings import Settings
from .payload import render, signature
from .statuses import StatusSettings
from .update import Update

log = structlog.get_logger(__name__)

FAILING_PAUSE = 0.05
"""Seconds between two tries while the receiver fails: one at a time, so that a dead receiver costs next to nothing and
one that refuses a single webhook holds up the others by no more than this."""

BODY_MAX = 3_000_000
"""Bytes of one webhook (Meta: up to 3 MB)."""


class Batch:
    """Updates that travel together, and how often that was tried."""

    __slots__ = ("tries", "updates")

    def __init__(self, updates: list[Update]) -> None:
        self.updates = updates
        self.tries = 0


class Deliveries:
    """What one account's receiver has not taken yet. Nothing leaves but by a 200 or a reset."""

    def __init__(
        self, account: Account, client: aiohttp.ClientSession, settings: Settings, how: StatusSettings
    ) -> None:
        self.account = account
        self.how = how
        self._client = client
        self._settings = settings
        self._fresh: deque[Update] = deque()
        self._again: list[tuple[float, int, Batch]] = []
        self._order = count()
        self._in_again = 0
        self._tasks: dict[asyncio.Task[None], Batch] = {}
        self._failing = False
        self._not_before = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._turn = False
        self.delivered = 0
        """Updates answered with 200."""
        self.posts = 0
        """POSTs answered with 200."""
        self.failed_tries = 0
        """POSTs answered with anything else, or not at all."""
        self.last_failure: str | None = None

    @property
    def pending(self) -> int:
        """Updates not delivered yet."""
        return len(self._fresh) + self._in_again + sum(len(b.updates) for b in self._tasks.values())

    @property
    def oldest(self) -> float | None:
        """Unix time of the oldest update not delivered yet."""
        heads = [batch.updates[0].at for _, _, batch in self._again]
        heads += [batch.updates[0].at for batch in self._tasks.values()]
        if self._fresh:
            heads.append(self._fresh[0].at)
        return min(heads, default=None)

    def put(self, updates: Iterable[Update]) -> None:
        """Take updates on the way."""
        self._fresh.extend(updates)
        self.wake()

    def wake(self) -> None:
        """Start what may start now."""
        loop = asyncio.get_running_loop()
        if not self.account.callback_url:
            return
        while len(self._tasks) < (1 if self._failing else self._settings.webhook_connections):
            now = loop.time()
            batch = self._next(now) if now >= self._not_before else None
            if batch is None:
                self._wake_later(loop, now)
                return
            task = loop.create_task(self._try(batch))
            self._tasks[task] = batch

    def _next(self, now: float) -> Batch | None:
        """Return the next batch: in turn one that is due again and fresh ones, so that neither starves."""
        due = bool(self._again) and self._again[0][0] <= now
        self._turn = not self._turn
        if due and (self._turn or not self._fresh):
            _, _, batch = heapq.heappop(self._again)
            self._in_again -= len(batch.updates)
            return batch
        if not self._fresh:
            return None
        size = min(self.how.batch_size, len(self._fresh))
        updates = list(islice(self._fresh, size))
        for _ in range(size):
            self._fresh.popleft()
        return Batch(updates)

    def _wake_later(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if now < self._not_before:
            self._timer = loop.call_at(self._not_before, self.wake)
        elif self._again:
            self._timer = loop.call_at(max(self._again[0][0], now + 0.001), self.wake)

    async def _try(self, batch: Batch) -> None:
        task = asyncio.current_task()
        failure = await self._post(batch)
        if task is None or self._tasks.pop(task, None) is None:
            return  # a reset took it away meanwhile
        if failure is None:
            self._failing = False
            self._not_before = 0.0
            self.delivered += len(batch.updates)
            self.posts += 1
        else:
            now = asyncio.get_running_loop().time()
            wait = min(self._settings.webhook_backoff_first * 2**batch.tries, self._settings.webhook_backoff_cap)
            batch.tries = min(batch.tries + 1, 30)
            heapq.heappush(self._again, (now + wait, next(self._order), batch))
            self._in_again += len(batch.updates)
            self.failed_tries += 1
            if not self._failing:
                log.warning("webhook_failed", phone_number_id=self.account.phone_number_id, reason=failure)
            self._failing = True
            self.last_failure = failure
            self._not_before = now + FAILING_PAUSE
        self.wake()

    async def _post(self, batch: Batch) -> str | None:
        """POST a batch; return None after a 200, else what went wrong."""
        account = self.account
        if account.callback_url is None:
            return "no callback_url"
        try:
            body = self._render(batch)
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "facebookexternalua",
                "X-Hub-Signature-256": signature(body, account.app_secret),
            }
            # aiohttp wants more than 1 MB as a file, for it writes bytes in one go.
            data = body if len(body) <= 1 << 20 else io.BytesIO(body)
            async with self._client.post(
                account.callback_url, data=data, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return None if answer.status == 200 else f"HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:200]
        except Exception as error:  # a fault of ours must not lose a webhook either
            log.exception("webhook_broken", phone_number_id=account.phone_number_id)
            return f"{type(error).__name__}: {error}"[:200]

    def _render(self, batch: Batch) -> bytes:
        """Return the body of a batch; updates that do not fit into one POST go back to the front."""
        while True:
            body = render(self.account, batch.updates, self.how.layout, self.how.conversation)
            if len(body) <= BODY_MAX or len(batch.updates) == 1:
                return body
            half = len(batch.updates) // 2
            self._fresh.extendleft(reversed(batch.updates[half:]))
            batch.updates = batch.updates[:half]

    def clear(self) -> None:
        """Drop everything, also what is on the way."""
        self._fresh.clear()
        self._again.clear()
        self._in_again = 0
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._failing = False
        self._not_before = 0.0
        self.delivered = self.posts = self.failed_tries = 0
        self.last_failure = None

    def view(self) -> dict[str, object]:
        """Return the counts for GET /_sim/webhooks."""
        return {
            "phone_number_id": self.account.phone_number_id,
            "callback_url": self.account.callback_url,
            "pending": self.pending,
            "delivered": self.delivered,
            "posts": self.posts,
            "failed": self.failed_tries,
            "last_failure": self.last_failure,
            "oldest_pending": self.oldest,
        }
