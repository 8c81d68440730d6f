"""The sessions that this instance runs: taken by lease, kept by signs of life, let go in order."""

import asyncio
import time
from contextlib import suppress
from uuid import UUID

import structlog
from blazz_chassis.errors import Unavailable
from blazz_contracts.views.session import SessionOptions
from prometheus_client import Gauge

from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.leases import Leases
from blazz_webjs_bridge.running import Lost, Running
from blazz_webjs_bridge.session import Session

log = structlog.get_logger(__name__)

running_sessions = Gauge("blazz_bridge_sessions", "Sessions that this instance runs, by state", ["state"])
memory_bytes = Gauge("blazz_bridge_memory_bytes", "What the browsers of this instance hold together")
alarms = Gauge("blazz_bridge_alarms", "Sessions that were opened again and again in vain")

_RENEWALS = 3  # signs of life in the time of one lease
_SAFE = 0.8  # of a lease without a renewal after which the sessions count as lost
_CRASH_PAUSE = 5.0  # seconds before a session whose code failed is taken again


class Fleet:
    """All sessions of one instance."""

    def __init__(self, house: House, leases: Leases) -> None:
        self._house, self._leases = house, leases
        self._running: dict[UUID, tuple[Running, asyncio.Task[None]]] = {}
        self._renewed = time.monotonic()
        self._stopping = asyncio.Event()

    @property
    def count(self) -> int:
        """How many sessions it runs."""
        return len(self._running)

    @property
    def memory(self) -> int:
        """Bytes that its browsers hold together."""
        return sum(running.memory or 0 for running, _ in self._running.values())

    def find(self, session_id: UUID) -> Running | None:
        """The session, where this instance runs it."""
        held = self._running.get(session_id)
        return held[0] if held else None

    async def run(self, stopping: asyncio.Event) -> None:
        """Take, keep and let go of sessions until the service stops; then let go of all, in order."""
        look = self._house.settings.webjs_bridge_look
        while not stopping.is_set():
            try:
                await self._look()
            except Unavailable as error:
                log.info("fleet_waits", error=error.code)
                await self._lose_if_late()
            with suppress(TimeoutError):
                async with asyncio.timeout(look):
                    await stopping.wait()
        await self.leave_all()

    async def leave_all(self) -> None:
        """Let go of all sessions: what is under way finishes, browsers write their profiles, others may take them."""
        for running, _ in self._running.values():
            running.leave()
        tasks = [task for _, task in self._running.values()]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        settings = self._house.settings
        if time.monotonic() - self._renewed >= settings.webjs_bridge_lease / _RENEWALS:
            await self._renew()
        for asked in await self._leases.asked(list(self._running)):
            running = self.find(asked.session_id)
            if running is not None:
                running.ask(asked.kind, asked.data)
        room = settings.webjs_bridge_capacity - self.count
        if settings.webjs_bridge_memory is not None and self.memory >= settings.webjs_bridge_memory:
            room = 0
        if room > 0:
            for session in await self._leases.take(room, list(self._running)):
                self._start(session)
        self._measure()

    async def _renew(self) -> None:
        began = time.monotonic()
        held = {running.session.id: running for running, _ in self._running.values()}
        ours = await self._leases.renew([running.sign() for running in held.values()]) if held else {}
        self._renewed = began
        for session_id, running in held.items():
            if session_id not in ours:
                log.warning("session_lost", session_id=str(session_id))
                await running.kill()
                continue
            wanted, options = ours[session_id]
            running.set_options(SessionOptions.model_validate(options))
            if wanted != "running":
                running.leave()

    async def _lose_if_late(self) -> None:
        """Without the database nobody knows whose the sessions are: before the leases end, nothing may go on."""
        if time.monotonic() - self._renewed > self._house.settings.webjs_bridge_lease * _SAFE and self._running:
            log.error("leases_not_renewed", sessions=len(self._running))
            for running, _ in list(self._running.values()):
                await running.kill()

    def _start(self, session: Session) -> None:
        log.info("session_taken", session_id=str(session.id), fence=session.fence)
        running = Running(session, self._house)
        task = asyncio.create_task(self._run(running), name=f"session-{session.id}")
        self._running[session.id] = (running, task)

    async def _run(self, running: Running) -> None:
        session, pause = running.session, 0.0
        try:
            await running.run()
        except Lost:
            log.warning("session_lost", session_id=str(session.id))
            await running.kill()
            return
        except Exception:
            log.exception("session_failed", session_id=str(session.id))
            pause = _CRASH_PAUSE
        finally:
            self._running.pop(session.id, None)
        await self._release(running, pause)

    async def _release(self, running: Running, pause: float) -> None:
        session = running.session
        try:
            await self._house.standings.stopped(session, "stopped by a person")
            await self._leases.release(running.sign(), pause=pause)
        except Unavailable as error:
            log.info("lease_runs_out", session_id=str(session.id), error=error.code)

    def _measure(self) -> None:
        running_sessions.clear()
        most = self._house.settings.webjs_bridge_restarts
        for running, _ in self._running.values():
            running_sessions.labels(running.session.state.value).inc()
        alarms.set(sum(running.session.restarts >= most for running, _ in self._running.values()))
        memory_bytes.set(self.memory)
