"""The bridge takes its place in a deployment: it migrates, starts, answers and stops."""

from pathlib import Path

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until


async def test_it_starts_becomes_ready_and_says_what_it_can_carry(idle_world: World) -> None:
    service = await idle_world.start(webjs_bridge_capacity=7, instance="bridge-1")

    async def ready() -> bool:
        return (await idle_world.api("GET", "/readyz")).status_code == 200

    await until(ready)
    health = (await idle_world.api("GET", "/health")).json()
    assert health == {"instance": "bridge-1", "version": "0.1.0", "capacity": 7, "sessions": 0, "memory_bytes": 0}
    await idle_world.stop(service)


async def test_without_a_browser_it_says_what_is_missing(idle_world: World, tmp_path: Path) -> None:
    service = await idle_world.start(webjs_bridge_chromium=tmp_path / "no-chromium")

    async def told() -> bool:
        answer = await idle_world.api("GET", "/readyz")
        return answer.status_code == 503 and "no-chromium" in answer.json()["checks"]["browser"]

    await until(told)
    await idle_world.stop(service)
