"""The tables are what the models say, and the audit log is everybody's."""

from datetime import UTC, datetime
from uuid import uuid4

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from blazz_contracts.events import AuditRecorded
from blazz_gateway import models
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from tests.integration.gateway.conftest import World
from tests.support.polling import until

MINE = {
    each.__tablename__
    for each in vars(models).values()
    if isinstance(each, type) and issubclass(each, SQLModel) and hasattr(each, "__table__")
}


async def test_the_migrations_make_what_the_models_say(world: World) -> None:
    url = world.database.owner_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url)

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
        assert (await connection.execute(text("select 1"))).scalar() == 1
    await engine.dispose()
    assert differences == []


async def test_what_another_service_did_is_kept_once(world: World) -> None:
    tenant = await world.tenant()
    event = AuditRecorded(
        workspace_id=tenant.workspace_id,
        action="channel.created",
        actor_kind="user",
        actor_id=tenant.user_id,
        target_kind="channel",
        target_id=str(uuid4()),
        data={"name": "x"},
        at=datetime.now(UTC),
    )
    message_id = await world.publisher.publish(event)
    await world.publisher.publish(event, message_id=message_id)

    async def kept() -> bool:
        rows = await world.rows(
            "select id from audit_log where action = 'channel.created' and workspace_id = $1", tenant.workspace_id
        )
        return [row["id"] for row in rows] == [message_id]

    await until(kept)
    page = await world.http.get("/api/v1/audit?action=channel.created", headers=await world.bearer(tenant.email))
    assert page.json()["items"][0]["target_id"] == event.target_id


async def test_the_log_is_read_a_page_at_a_time(world: World) -> None:
    tenant = await world.tenant()
    headers = await world.bearer(tenant.email)
    for _ in range(5):
        await world.http.post("/api/v1/tokens", json={"name": "t"}, headers=headers)
    seen, cursor = [], ""
    while True:
        page = (await world.http.get(f"/api/v1/audit?limit=2{cursor}", headers=headers)).json()
        seen += [entry["id"] for entry in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 8
    assert seen == sorted(seen, reverse=True)
