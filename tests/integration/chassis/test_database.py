"""The database: row-level security holds under the roles a service really uses, and pools leak nothing."""

import asyncio
import os
import signal
import uuid
from uuid import UUID, uuid4

import asyncpg
import pytest
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import DatabaseBusy, DatabaseLocked, DatabaseUnavailable, DependencyDown
from blazz_chassis.settings import ServiceSettings
from blazz_local import Servers
from prometheus_client import REGISTRY
from sqlalchemy import text

OURS, THEIRS = uuid4(), uuid4()


async def _note(connection: Connection, workspace_id: UUID, said: str = "x") -> None:
    await connection.execute(
        "insert into notes (id, workspace_id, text) values ($1, $2, $3)", uuid4(), workspace_id, said
    )


async def _seen(connection: Connection) -> set[UUID]:
    return {row["workspace_id"] for row in await connection.fetch("select workspace_id from notes")}


async def test_the_api_role_sees_its_workspace_only(database: Database) -> None:
    async with database.worker() as connection:
        await _note(connection, OURS)
        await _note(connection, THEIRS)
        assert await _seen(connection) == {OURS, THEIRS}
    async with database.api(OURS) as connection:
        assert await _seen(connection) == {OURS}
        assert await connection.execute("update notes set text = 'y'") == "UPDATE 1"


async def test_the_api_role_cannot_write_into_another_workspace(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.api(OURS) as connection:
            await _note(connection, THEIRS)


async def test_a_pooled_connection_does_not_keep_the_workspace(migrated: ServiceSettings) -> None:
    database = Database(migrated.database_api_url, migrated.database_worker_url, api_pool=1)
    async with database.worker() as connection:
        await _note(connection, OURS)
    async with database.api(OURS) as connection:
        assert await _seen(connection) == {OURS}
    await database.close()
    # The same connection, without a workspace: nothing is seen, and nothing fails.
    pool = await asyncpg.create_pool(migrated.database_api_url.get_secret_value(), min_size=1, max_size=1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('app.workspace_id', $1, true)", str(OURS))
        assert await _seen(connection) == {OURS}
    async with pool.acquire() as connection:
        assert await connection.fetchval("select current_setting('app.workspace_id', true)") == ""
        assert await _seen(connection) == set()
    await pool.close()


async def test_many_workspaces_on_few_connections_never_mix(database: Database) -> None:
    workspaces = [uuid4() for _ in range(20)]
    async with database.worker() as connection:
        for workspace in workspaces:
            await _note(connection, workspace)

    async def look(workspace: UUID) -> bool:
        async with database.api(workspace) as connection:
            first = await _seen(connection)
            await asyncio.sleep(0)
            return first == await _seen(connection) == {workspace}

    assert all(await asyncio.gather(*(look(workspace) for workspace in workspaces * 5)))


async def test_sessions_are_under_the_same_policy(database: Database) -> None:
    async with database.worker() as connection:
        await _note(connection, OURS)
        await _note(connection, THEIRS)
    query = text("select distinct workspace_id from notes")
    async with database.session(OURS) as session:
        assert [row[0] for row in await (await session.connection()).execute(query)] == [OURS]
    async with database.worker_session() as session:
        assert {row[0] for row in await (await session.connection()).execute(query)} == {OURS, THEIRS}


async def test_json_goes_in_and_comes_out_as_it_was(database: Database) -> None:
    data = {"a": [1, 2.5, None], "ü": {"b": True}}
    async with database.worker() as connection:
        await connection.execute(
            "insert into notes (id, workspace_id, text, data) values ($1, $2, 'x', $3)", uuid4(), OURS, data
        )
        assert await connection.fetchval("select data from notes where data is not null") == data


async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    async def note_and_fail() -> None:
        async with database.worker() as connection:
            await _note(connection, OURS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await note_and_fail()
    async with database.worker() as connection:
        assert await _seen(connection) == set()


async def test_statements_are_counted(database: Database) -> None:
    before = REGISTRY.get_sample_value("blazz_sql_statements_total") or 0
    async with database.worker() as connection:
        await connection.fetchval("select 1")
    await asyncio.sleep(0)
    # BEGIN, the statement, COMMIT; a connection's first use asks for types besides.
    assert (REGISTRY.get_sample_value("blazz_sql_statements_total") or 0) - before >= 3


async def test_a_deadlock_is_tried_again(database: Database) -> None:
    first, second = uuid4(), uuid4()
    async with database.worker() as connection:
        for identifier in (first, second):
            await connection.execute("insert into notes (id, workspace_id, text) values ($1, $2, '')", identifier, OURS)
    met = asyncio.Barrier(2)
    runs = 0

    async def touch(one: UUID, other: UUID) -> None:
        nonlocal runs
        runs += 1
        meet = runs <= 2
        async with database.worker() as connection:
            await connection.execute("update notes set text = text || 'x' where id = $1", one)
            if meet:
                await met.wait()
            await connection.execute("update notes set text = text || 'x' where id = $1", other)

    await asyncio.gather(
        database.retrying(lambda: touch(first, second)), database.retrying(lambda: touch(second, first))
    )
    assert runs == 3
    async with database.worker() as connection:
        assert await connection.fetchval("select min(text) from notes") == "xx"


async def test_a_statement_that_takes_too_long_is_busy_not_down(migrated: ServiceSettings) -> None:
    database = Database(migrated.database_api_url, migrated.database_worker_url, statement_timeout=0.1)
    with pytest.raises(DatabaseBusy):
        async with database.worker() as connection:
            await connection.execute("select pg_sleep(5)")
    await database.close()


async def test_a_lock_that_is_not_had_in_time_is_nobodys_fault_and_can_be_probed(migrated: ServiceSettings) -> None:
    database = Database(migrated.database_api_url, migrated.database_worker_url, lock_timeout=0.1)
    async with database.worker() as holder:
        await holder.execute("lock table notes in exclusive mode")
        with pytest.raises(DatabaseLocked) as raised:
            async with database.worker() as connection:
                await _note(connection, OURS)
    assert isinstance(raised.value, DependencyDown)
    assert raised.value.code == "database_busy"
    assert raised.value.probe is not None
    await raised.value.probe()
    await database.close()


async def test_a_connection_that_breaks_while_it_is_given_back_takes_nothing_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: asyncpg.Connection, **more: float) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 15")

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "reset", broken)
        async with database.worker() as connection:
            await _note(connection, OURS)
    async with database.worker() as connection:
        assert await _seen(connection) == {OURS}


async def test_a_database_that_is_away_is_unavailable(migrated: ServiceSettings) -> None:
    nowhere = "postgresql://nobody:x@127.0.0.1:1/none"
    database = Database(nowhere, nowhere)
    with pytest.raises(DatabaseUnavailable) as raised:
        async with database.api(uuid.uuid4()):
            pass
    assert raised.value.status == 503
    assert raised.value.retry_after
    with pytest.raises(DatabaseUnavailable):
        async with database.session(uuid.uuid4()):
            pass
    await database.close()


async def test_connections_that_the_server_ends_are_replaced(database: Database, postgres_url: str) -> None:
    async def ask_after_the_end() -> None:
        async with database.worker() as connection:
            await _end_connections(postgres_url, connection.get_server_pid())
            await connection.fetchval("select 1")

    with pytest.raises(DatabaseUnavailable):
        await ask_after_the_end()
    async with database.worker() as connection:
        assert await connection.fetchval("select 1") == 1


async def _end_connections(postgres_url: str, pid: int) -> None:
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.fetchval("select pg_terminate_backend($1)", pid)
    finally:
        await admin.close()


async def test_a_pool_that_is_used_up_says_so_in_time(migrated: ServiceSettings) -> None:
    database = Database(migrated.database_api_url, migrated.database_worker_url, worker_pool=1, acquire_timeout=0.2)
    async with database.worker():
        with pytest.raises(DatabaseUnavailable):
            async with database.worker():
                pass
    await database.close()


async def _ask(database: Database, workspace_id: UUID) -> None:
    async with database.api(workspace_id) as connection:
        await connection.fetchval("select 1")


async def test_a_database_that_does_not_answer_is_away_and_not_waited_for_for_ever(
    migrated: ServiceSettings, servers: Servers
) -> None:
    if not servers.private:
        pytest.skip("the server runs where its processes cannot be stopped")
    database = Database(
        migrated.database_api_url, migrated.database_worker_url, api_statement_timeout=0.2, acquire_timeout=1
    )
    workspace_id, frozen = uuid4(), 0
    try:
        async with database.api(workspace_id) as connection:
            frozen = await connection.fetchval("select pg_backend_pid()")
        os.kill(frozen, signal.SIGSTOP)
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(_ask(database, workspace_id), 20)
        async with database.api(workspace_id) as connection:
            assert await connection.fetchval("select 1") == 1
    finally:
        if frozen:
            os.kill(frozen, signal.SIGCONT)
        await database.close()
