"""Whether the migrations of a service make what its models say.

In a process of its own: tables of two services may have the same name, and SQLModel keeps one register of all.
"""

import asyncio
import importlib
import sys
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel


async def differences(models: str, owner_url: str) -> str:
    """What would have to be migrated for the database to be what the module `models` says; `[]` when nothing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.tables", models, owner_url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, wrong = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, wrong.decode()
    return told.decode().strip()


def _compare(connection: Connection) -> list[Any]:
    def ours(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or name in SQLModel.metadata.tables

    options = {"compare_type": True, "compare_server_default": True, "include_object": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata))


async def _main(models: str, owner_url: str) -> None:
    importlib.import_module(models)
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        print(await connection.run_sync(_compare))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
