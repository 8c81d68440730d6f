"""The fleet keeps its leases whatever one session does, and ends its sessions in time."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_contracts.session import SessionState
from blazz_webjs_bridge import fleet as fleets
from blazz_webjs_bridge.fleet import Fleet
from blazz_webjs_bridge.leases import Sign

from tests.support.polling import until

LEASE = 2.0


class FakeLeases:
    """Leases that are always granted, and sometimes not answered for."""

    def __init__(self, sessions: list[Any]) -> None:
        self._free = sessions
        self.renewed: list[set[UUID]] = []
        self.answers = asyncio.Event()
        self.answers.set()

    async def take(self, most: int, running: list[UUID]) -> list[Any]:
        taken, self._free = self._free, []
        return taken

    async def asked(self, running: list[UUID]) -> list[Any]:
        return []

    async def renew(self, signs: list[Sign]) -> dict[UUID, tuple[str, dict[str, Any]]]:
        await self.answers.wait()
        self.renewed.append({sign.session_id for sign in signs})
        return {sign.session_id: ("running", {}) for sign in signs}

    async def release(self, sign: Sign, *, pause: float = 0.0) -> None:
        return None


@dataclass
class FakeRunning:
    """A session that leaves when it is told to, in its own time."""

    session: Any
    house: Any
    killed: bool = False
    memory: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        await self.left.wait()
        if not self.killed:
            await asyncio.sleep(self.session.drains)

    def leave(self) -> None:
        self.left.set()

    async def kill(self) -> None:
        self.killed = True
        self.session.being_killed.append(self.session.id)
        if self.session.all_killed is not None:
            await self.session.all_killed.wait()
        self.left.set()

    def sign(self) -> Sign:
        if self.session.broken:
            raise ValueError("year 99999 is out of range")
        return Sign(self.session.id, 1)

    def set_options(self, options: object) -> None:
        return None


def made(*, broken: bool = False, drains: float = 0.0, **more: Any) -> Any:
    return SimpleNamespace(
        id=uuid4(),
        fence=1,
        broken=broken,
        drains=drains,
        state=SessionState.READY,
        restarts=0,
        wanted="running",
        **({"being_killed": [], "all_killed": None} | more),
    )


def a_fleet(monkeypatch: pytest.MonkeyPatch, leases: Any) -> Fleet:
    monkeypatch.setattr(fleets, "Running", FakeRunning)
    settings = SimpleNamespace(
        webjs_bridge_look=0.01,
        webjs_bridge_lease=LEASE,
        webjs_bridge_capacity=10,
        webjs_bridge_memory=None,
        webjs_bridge_restarts=6,
    )

    async def told(*_: object, **__: object) -> None:
        return None

    house: Any = SimpleNamespace(settings=settings, standings=SimpleNamespace(stopped=told, tell_orphans=told))
    return Fleet(house, leases)


async def test_one_session_that_has_no_sign_of_life_costs_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [made(broken=True), made()]
    leases = FakeLeases(list(sessions))
    fleet, stopping = a_fleet(monkeypatch, leases), asyncio.Event()
    running = asyncio.create_task(fleet.run(stopping))
    await until(lambda: len(leases.renewed) >= 5)
    assert fleet.count == 2
    assert {each.id for each in sessions} in leases.renewed
    stopping.set()
    await running


async def test_sessions_are_kept_until_the_last_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    session = made(drains=LEASE * 1.5)
    leases = FakeLeases([session])
    fleet, stopping = a_fleet(monkeypatch, leases), asyncio.Event()
    running = asyncio.create_task(fleet.run(stopping))
    await until(lambda: fleet.count == 1)
    before = len(leases.renewed)
    stopping.set()
    await running
    assert len(leases.renewed) - before >= 3


async def test_a_silent_database_ends_all_sessions_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    being_killed: list[Any] = []
    all_killed = asyncio.Event()
    sessions = [made(being_killed=being_killed, all_killed=all_killed) for _ in range(8)]
    leases = FakeLeases(list(sessions))
    fleet, stopping = a_fleet(monkeypatch, leases), asyncio.Event()
    running = asyncio.create_task(fleet.run(stopping))
    await until(lambda: fleet.count == 8)
    leases.answers.clear()
    await until(lambda: len(being_killed) == 8, what="a kill of each, though none has ended")
    all_killed.set()
    await until(lambda: fleet.count == 0)
    leases.answers.set()
    stopping.set()
    await running
