"""The tables that migrations make are the ones that the models say."""

from typing import Any

import blazz_campaign.models  # noqa: F401 - fills the metadata
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

TABLES = ("campaigns", "recipients", "list_parts")


async def test_the_migrations_make_what_the_models_say(make_database: Any) -> None:
    made = await make_database("campaign")
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
