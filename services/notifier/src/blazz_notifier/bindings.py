"""Which workspaces this instance listens to on the broker."""

import asyncio
import time
from typing import Protocol
from uuid import UUID

from blazz_notifier import metrics


class Queue(Protocol):
    """What is needed of the instance's queue (`blazz_chassis.instance_queue`)."""

    def bound(self, key: str) -> bool: ...  # noqa: D102
    async def bind(self, key: str) -> None: ...  # noqa: D102
    async def unbind(self, key: str) -> None: ...  # noqa: D102


def key_of(workspace_id: UUID) -> str:
    """Every event of one workspace: keys are `{noun}.{verb}.{workspace}`."""
    return f"*.*.{workspace_id}"


class Bindings:
    """Counts who is interested in a workspace; bound while somebody is, and for `linger` seconds after."""

    def __init__(self, queue: Queue, *, linger: float) -> None:
        self._queue, self._linger = queue, linger
        self._interested: dict[UUID, int] = {}
        self._idle_since: dict[UUID, float] = {}

    def hold(self, workspace_id: UUID) -> bool:
        """Note an interest. True: the workspace's events reach us already; False: `wait` for it."""
        self._interested[workspace_id] = self._interested.get(workspace_id, 0) + 1
        self._idle_since.pop(workspace_id, None)
        metrics.workspaces_bound.set(len(self._interested) + len(self._idle_since))
        return self._queue.bound(key_of(workspace_id))

    async def wait(self, workspace_id: UUID) -> None:
        """Return when the workspace's events reach us. Raises `BrokerUnavailable` when that takes too long."""
        started = time.perf_counter()
        await self._queue.bind(key_of(workspace_id))
        metrics.bind_wait_seconds.observe(time.perf_counter() - started)

    def release(self, workspace_id: UUID) -> None:
        """Take an interest back. The binding goes later, if nobody comes meanwhile."""
        left = self._interested[workspace_id] - 1
        if left:
            self._interested[workspace_id] = left
            return
        del self._interested[workspace_id]
        self._idle_since[workspace_id] = time.monotonic()

    async def sweep(self) -> None:
        """Unbind the workspaces that nobody has asked for in a while."""
        now = time.monotonic()
        # In the order in which they became idle.
        for workspace_id, since in list(self._idle_since.items()):
            if now - since < self._linger:
                break
            # Gone from here first: who comes while we unbind asks for it again, and is served after.
            if self._idle_since.pop(workspace_id, None) is not None:
                await self._queue.unbind(key_of(workspace_id))
        metrics.workspaces_bound.set(len(self._interested) + len(self._idle_since))

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        pause = min(max(self._linger / 4, 0.05), 5.0)
        while True:
            await asyncio.sleep(pause)
            await self.sweep()
