"""Chat itself, with a real broker, a real database and the simulator; the test stands where the gateway is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import web
from blazz_simulator.app import build as build_simulator
from blazz_simulator.settings import Settings as SimulatorSettings

from .bridge_side import BridgeSide, new_session
from .house import NO_LIMITS, House
from .world import CONTEXT_KEY, Build, World, item

__all__ = ["CONTEXT_KEY", "NO_LIMITS", "Build", "House", "World", "item"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator_url(tmp_path_factory: Any) -> AsyncIterator[str]:
    """One simulator for all tests of chat: each has a number of its own."""
    runner = web.AppRunner(
        build_simulator(SimulatorSettings(port=0, data=tmp_path_factory.mktemp("simulator"))), access_log=None
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(
    make_vhost: Callable[[], Awaitable[str]], make_database: Any, simulator_url: str, tmp_path_factory: Any
) -> AsyncIterator[House]:
    """Chat as most tests want it, started once."""
    made = House(await make_vhost(), await make_database("chat"), simulator_url, tmp_path_factory.mktemp("chat"))
    await made.open()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_world(
    make_vhost: Callable[[], Awaitable[str]], make_database: Any, simulator_url: str, tmp_path: Path
) -> AsyncIterator[Build]:
    """Starts a chat of its own, with settings of the test's choice."""
    houses: list[House] = []

    async def make(limits: dict[str, Any] | None = None, **settings: Any) -> World:
        made = House(await make_vhost(), await make_database("chat"), simulator_url, tmp_path, **settings)
        houses.append(made)
        await made.open()
        return await made.world(limits)

    yield make
    for made in houses:
        await made.simulator.delete("/_sim/faults")
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_channel(house: House) -> AsyncIterator[Build]:
    """Makes a workspace with limits of the test's choice."""
    yield house.world
    await house.simulator.delete("/_sim/faults")


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_channel: Build) -> World:
    """A workspace of its own with a channel without limits."""
    return await make_channel()


@pytest_asyncio.fixture(loop_scope="session")
async def make_bridge() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Makes a WhatsApp Web session beside a world's own number, with its channel; `ready` says whether it sends."""
    made: list[BridgeSide] = []

    async def make(world: World, *, ready: bool = True, listening: bool = True, **channel: Any) -> BridgeSide:
        bridge = BridgeSide(world, world.house.vhost, new_session())
        made.append(bridge)
        await bridge.start()
        answer = await bridge.connect(**channel)
        assert answer.status_code == 201, answer.text
        if listening:
            await bridge.listen()
        if ready:
            await bridge.state("ready", phone="4915112345678")
        return bridge

    yield make
    for bridge in made:
        await bridge.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(world: World, make_bridge: Callable[..., Awaitable[Any]]) -> Any:
    """A session that is ready."""
    return await make_bridge(world)
