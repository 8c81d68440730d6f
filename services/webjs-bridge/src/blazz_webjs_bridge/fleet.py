"""The sessions that this instance runs: taken by lease, kept by signs of life, let go in order."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.errors import Unavailable
from blazz_contracts.session import SessionState
from blazz_contracts.views.session import SessionOptions
from prometheus_client import Gauge

from blazz_webjs_bridge.endings import Lost
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.leases import Leases, Sign
from blazz_webjs_bridge.running import Running
from blazz_webjs_bridge.session import Session
from blazz_webjs_bridge.state import Standing

log = structlog.get_logger(__name__)

running_sessions = Gauge("blazz_bridge_sessions", "Sessions that this instance runs, by state", ["state"])
memory_bytes = Gauge("blazz_bridge_memory_bytes", "What the browsers of this instance hold together")
alarms = Gauge("blazz_bridge_alarms", "Sessions that were opened again and again in vain")

_RENEWALS = 3  # signs of life in the time of one lease
_SAFE = 0.8  # of a lease without a renewal after which the sessions count as lost
_GUARDS = 40  # looks at the clock in the time of one lease
_QUEUES = 30.0  # seconds between two looks at the queues of the sessions
_CRASH_PAUSE = 5.0  # seconds before a session whose code failed is taken again
_CODES = (SessionState.STARTING, SessionState.QR)  # whose pairing code somebody is typing keeps its place
_NO_ROOM = Standing(
    SessionState.STARTING, "no room: a linked session needed the place; a code is shown again when there is room"
)


class Fleet:
    """All sessions of one instance."""

    def __init__(self, house: House, leases: Leases) -> None:
        self._house, self._leases = house, leases
        self._running: dict[UUID, tuple[Running, asyncio.Task[None]]] = {}
        self._renewed = self._told = time.monotonic()
        self._stopping = asyncio.Event()
        self._yielding: set[UUID] = set()

    @property
    def count(self) -> int:
        """How many sessions it runs."""
        return len(self._running)

    @property
    def memory(self) -> int:
        """Bytes that its browsers hold together."""
        return sum(running.memory or 0 for running, _ in self._running.values())

    async def run(self, stopping: asyncio.Event) -> None:
        """Take, keep and let go of sessions until the service stops; then let go of all, in order."""
        look = self._house.settings.webjs_bridge_look
        beside = [
            asyncio.create_task(self._guard(), name="fleet-guard"),
            asyncio.create_task(self._keep_queues(), name="fleet-queues"),
        ]
        try:
            while not stopping.is_set():
                await self._safely(self._look)
                with suppress(TimeoutError):
                    async with asyncio.timeout(look):
                        await stopping.wait()
            await self.leave_all()
        finally:
            for task in beside:
                task.cancel()

    async def leave_all(self) -> None:
        """Let go of all sessions: what is under way finishes, browsers write their profiles, others may take them.

        Until the last is let go, those that still finish something stay ours.
        """
        for running, _ in self._running.values():
            running.leave()
        pending = {task for _, task in self._running.values()}
        while pending:
            _, pending = await asyncio.wait(pending, timeout=self._house.settings.webjs_bridge_lease / _RENEWALS)
            if pending:
                await self._safely(self._renew)

    async def _safely(self, step: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong here, goes wrong once: browsers go on, and their leases must be kept."""
        try:
            await step()
        except Unavailable as error:
            log.info("fleet_waits", error=error.code)
        except Exception:
            log.exception("fleet_failed")

    async def _look(self) -> None:
        settings = self._house.settings
        if time.monotonic() - self._renewed >= settings.webjs_bridge_lease / _RENEWALS:
            await self._renew()
        for asked in await self._leases.asked(list(self._running)):
            held = self._running.get(asked.session_id)  # it may have ended meanwhile
            if held is not None:
                held[0].ask(asked.kind, asked.data)
        room = settings.webjs_bridge_capacity - self.count
        if settings.webjs_bridge_memory is not None and self.memory >= settings.webjs_bridge_memory:
            room = 0
        if room > 0:
            for session in await self._leases.take(room, list(self._running)):
                self._start(session)
        elif not self._yielding:
            await self._make_room()
        if time.monotonic() - self._told >= settings.webjs_bridge_lease / _RENEWALS:
            self._told = time.monotonic()
            await self._house.standings.tell_orphans(patience=settings.webjs_bridge_lease)
        self._measure()

    async def _make_room(self) -> None:
        """Where a linked session waits for a place, one that only shows a code lets go of its own."""
        shown = [running for running, _ in self._running.values() if _only_shows_a_code(running)]
        if not shown:
            return
        patience = self._house.settings.webjs_bridge_lease / _RENEWALS  # another instance may have room
        waiting = await self._leases.waiting(len(shown), patience=patience)
        running_of = Counter(running.session.workspace_id for running, _ in self._running.values())
        for running in _of_who_has_most(shown, running_of, waiting):
            log.info("session_yields", session_id=str(running.session.id))
            self._yielding.add(running.session.id)
            running.leave()

    async def _renew(self) -> None:
        began = time.monotonic()
        held = {running.session.id: running for running, _ in self._running.values()}
        ours = await self._renewals(list(held.values())) if held else {}
        self._renewed = began
        lost = [running for session_id, running in held.items() if session_id not in ours]
        for running in lost:
            log.warning("session_lost", session_id=str(running.session.id))
        await _kill(lost)
        for session_id, (wanted, options) in ours.items():
            if wanted == "deleted":
                held[session_id].delete()
            elif wanted != "running":
                held[session_id].leave()
            try:
                held[session_id].set_options(SessionOptions.model_validate(options))
            except ValueError:
                log.exception("options_not_read", session_id=str(session_id))

    async def _renewals(self, held: Sequence[Running]) -> Mapping[UUID, tuple[str, dict[str, Any]]]:
        """Renew these; what one session has to say must not cost the others their leases."""
        try:
            return await self._leases.renew([_sign(running) for running in held])
        except Unavailable:
            raise
        except Exception:
            log.exception("signs_not_taken")
            return await self._leases.renew([_bare_sign(running) for running in held])

    async def _guard(self) -> None:
        """Without the database nobody knows whose the sessions are: before the leases end, nothing may go on.

        Beside all else: a database that is silent holds up who asks it for longer than a lease.
        """
        lease = self._house.settings.webjs_bridge_lease
        while True:
            await asyncio.sleep(lease / _GUARDS)
            late = [] if time.monotonic() - self._renewed <= lease * _SAFE else self._alive()
            if late:
                log.error("leases_not_renewed", sessions=len(late))
                await _kill(late)

    async def _keep_queues(self) -> None:
        """A queue that was deleted under its session would never come back: nothing could be sent by that number."""
        while True:
            await asyncio.sleep(_QUEUES)
            await self._safely(self._house.queues.restore)

    def _alive(self) -> list[Running]:
        return [running for running, _ in self._running.values() if not running.killed]

    def _start(self, session: Session) -> None:
        log.info("session_taken", session_id=str(session.id), fence=session.fence)
        running = Running(session, self._house)
        task = asyncio.create_task(self._run(running), name=f"session-{session.id}")
        self._running[session.id] = (running, task)
        if session.wanted == "deleted":
            running.delete()

    async def _run(self, running: Running) -> None:
        session = running.session
        try:
            await running.run()
            await self._release(running, pause=0.0)
        except Lost:
            log.warning("session_lost", session_id=str(session.id))
            await running.kill()
        except Exception:
            log.exception("session_failed", session_id=str(session.id))
            await self._release(running, pause=_CRASH_PAUSE)
        finally:
            # Not before: what is being let go is not to be taken by ourselves.
            self._running.pop(session.id, None)
            self._yielding.discard(session.id)

    async def _release(self, running: Running, pause: float) -> None:
        session = running.session
        try:
            if session.id in self._yielding and _only_shows_a_code(running):
                await self._house.standings.stand(session, _NO_ROOM, restarts=session.restarts)
            await self._house.standings.stopped(session, "stopped by a person")
            await self._leases.release(_sign(running), pause=pause)
        except Unavailable as error:
            log.info("lease_runs_out", session_id=str(session.id), error=error.code)

    def _measure(self) -> None:
        running_sessions.clear()
        most = self._house.settings.webjs_bridge_restarts
        for running, _ in self._running.values():
            running_sessions.labels(running.session.state.value).inc()
        alarms.set(sum(running.session.restarts >= most for running, _ in self._running.values()))
        memory_bytes.set(self.memory)


def _only_shows_a_code(running: Running) -> bool:
    """Whether no phone has linked it: nothing is lost when it is opened later."""
    session = running.session
    return session.seen_until is None and session.state in _CODES


def _of_who_has_most(shown: list[Running], running_of: Counter[UUID], most: int) -> Iterator[Running]:
    """Up to `most` of them, each of the workspace that has most sessions then; of those the one taken first."""
    for _ in range(min(most, len(shown))):
        running = max(shown, key=lambda each: running_of[each.session.workspace_id])
        shown.remove(running)
        running_of[running.session.workspace_id] -= 1
        yield running


def _sign(running: Running) -> Sign:
    """A sign of life, with what the session has to say where it can say it."""
    try:
        return running.sign()
    except Exception:
        log.exception("sign_failed", session_id=str(running.session.id))
        return _bare_sign(running)


def _bare_sign(running: Running) -> Sign:
    return Sign(running.session.id, running.session.fence)


async def _kill(lost: Iterable[Running]) -> None:
    """End these side by side: one browser that takes its time holds up no other's end."""
    for result in await asyncio.gather(*(running.kill() for running in lost), return_exceptions=True):
        if isinstance(result, Exception):
            log.error("kill_failed", error=repr(result))
