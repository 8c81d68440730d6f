"""The tables of chat."""

import asyncio
import sys

from .conftest import World

# In a process of its own: another service's tables may have the same names, and this one knows them already.
COMPARE = """
import asyncio, sys
import blazz_chat.models
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

def compare(connection):
    mine = lambda name, kind, *_: kind != "table" or name in SQLModel.metadata.tables
    wanted = lambda thing, name, kind, *_: kind != "table" or name in SQLModel.metadata.tables
    opts = {"include_name": mine, "include_object": wanted, "compare_type": False}
    return compare_metadata(MigrationContext.configure(connection, opts=opts), SQLModel.metadata)

async def main():
    engine = create_async_engine(sys.argv[1])
    async with engine.connect() as connection:
        print(await connection.run_sync(compare))
    await engine.dispose()

asyncio.run(main())
"""


async def test_the_migrations_make_what_the_models_say(world: World) -> None:
    url = world.house.database.owner_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMPARE, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, wrong = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, wrong.decode()
    assert told.decode().strip() == "[]"
