"""Migrations: in steps, by one at a time."""

import asyncio
from typing import Any

import asyncpg
from blazz_chassis.migrate import upgrade_async

from .conftest import MIGRATIONS, settings_for


async def _columns(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select column_name from information_schema.columns where table_name = 'notes'")
    finally:
        await connection.close()
    return {row["column_name"] for row in rows}


async def test_the_pre_step_ends_with_the_last_pre_revision(make_database: Any) -> None:
    settings = settings_for(await make_database("chassis", migrate=False))
    assert await upgrade_async("chassis", settings, MIGRATIONS, "pre") == ["0001", "0002", "0003"]
    assert "last" not in await _columns(settings.database_owner_url.get_secret_value())
    assert await upgrade_async("chassis", settings, MIGRATIONS, "pre") == []
    assert await upgrade_async("chassis", settings, MIGRATIONS, "post") == ["0004"]
    assert "last" in await _columns(settings.database_owner_url.get_secret_value())


async def test_two_instances_may_migrate_at_once(make_database: Any) -> None:
    settings = settings_for(await make_database("chassis", migrate=False))
    applied = await asyncio.gather(*(upgrade_async("chassis", settings, MIGRATIONS) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, 4]
