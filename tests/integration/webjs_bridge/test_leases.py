"""A lease is the only right to a browser: where it may have ended, nothing runs."""

import asyncio
import time

import psutil
from pydantic import SecretStr

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until
from tests.support.proxy import Proxy


def browsers(world: World) -> int:
    """How many processes have a profile of this world open."""
    folder, found = str(world.settings["webjs_bridge_profiles"]), 0
    for process in psutil.process_iter(["cmdline"]):
        found += any(f"--user-data-dir={folder}" in word for word in process.info["cmdline"] or [])
    return found


async def test_a_database_that_goes_silent_ends_the_browsers_before_the_lease(idle_world: World) -> None:
    world = idle_world
    proxy = Proxy(world.database.worker_url)
    await proxy.mend()
    service = await world.start(database_worker_url=SecretStr(proxy.url))
    made = [await world.create() for _ in range(2)]
    for each in made:
        await world.until_state(each, "qr")
    assert browsers(world)
    proxy.freeze()
    frozen = time.monotonic()
    await until(lambda: not browsers(world), 10)
    assert time.monotonic() - frozen < world.settings["webjs_bridge_lease"]
    proxy.thaw()
    for each in made:
        await world.until_state(each, "qr")
    await until(lambda: browsers(world), 30)
    await world.stop(service)
    await proxy.cut()


async def test_a_session_that_is_left_while_its_browser_opens_leaves_none(idle_world: World) -> None:
    world = idle_world
    service = await world.start()
    for delay in (0.05, 0.2, 0.5):
        session_id = await world.create()
        await until(lambda: browsers(world), 10)
        await asyncio.sleep(delay)  # the moment is the chance
        await world.api("POST", f"/internal/sessions/{session_id}/stop")
        await world.until_state(session_id, "stopped")
        assert not browsers(world)
    await world.stop(service)
