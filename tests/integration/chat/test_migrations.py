"""The tables of chat."""

import blazz_chat.models
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from .conftest import World

MINE = {
    each.__tablename__
    for each in vars(blazz_chat.models).values()
    if isinstance(each, type) and issubclass(each, SQLModel) and hasattr(each, "__table__")
}


async def test_the_migrations_make_what_the_models_say(world: World) -> None:
    engine = create_async_engine(world.house.database.owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))

    def compare(connection: object) -> list[object]:
        def mine(name: str | None, kind: str, parents: object) -> bool:
            return kind != "table" or name in MINE

        def wanted(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
            return kind != "table" or name in MINE

        context = MigrationContext.configure(
            connection,  # type: ignore[arg-type]
            opts={"include_name": mine, "include_object": wanted, "compare_type": False},
        )
        return list(compare_metadata(context, SQLModel.metadata))

    async with engine.connect() as connection:
        differences = await connection.run_sync(compare)
    await engine.dispose()
    assert differences == []
