"""The bridge takes its place in a deployment: it migrates, starts, answers and stops."""

from pathlib import Path
from typing import Any

import blazz_webjs_bridge.models  # noqa: F401 - fills the metadata
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until

TABLES = ("web_sessions", "web_session_requests", "web_sends")


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


async def test_the_migrations_make_what_the_models_say(make_database: Any) -> None:
    made = await make_database("webjs-bridge")
    engine = create_async_engine(made.owner_url.replace("postgresql://", "postgresql+asyncpg://"))
    wanted = MetaData()
    for name in TABLES:
        SQLModel.metadata.tables[name].to_metadata(wanted)

    def compare(connection: Connection) -> list[Any]:
        def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            return kind != "table" or name in TABLES

        options = {"compare_type": True, "compare_server_default": True, "include_object": ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), wanted))

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()
