"""Jobs: they run, tell how far they are, and go on where they stood."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from blazz_chassis.database import Database
from blazz_chassis.errors import DatabaseUnavailable, Invalid
from blazz_chassis.jobs import Job, Jobs, JobState

from tests.support.polling import until

WORKSPACE = uuid4()


@asynccontextmanager
async def running(jobs: Jobs) -> AsyncIterator[None]:
    task = asyncio.create_task(jobs.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def added(jobs: Jobs, database: Database, kind: str, **given: Any) -> UUID:
    async with database.api(WORKSPACE) as connection:
        return await jobs.add(connection, kind, WORKSPACE, given)


def state_is(jobs: Jobs, database: Database, identifier: UUID, state: str) -> Callable[[], Any]:
    async def ask() -> JobState | None:
        async with database.api(WORKSPACE) as connection:
            job = await jobs.get(connection, identifier)
        return job if job is not None and job.state == state else None

    return ask


async def test_a_job_runs_and_tells_progress_and_result(database: Database) -> None:
    jobs = Jobs(database, poll=0.05)
    go = asyncio.Event()

    @jobs.kind("count")
    async def count(job: Job) -> dict[str, int]:
        await job.progress(1, 3)
        await go.wait()
        await job.progress(3)
        return {"counted": job.input["to"]}

    identifier = await added(jobs, database, "count", to=3)
    async with running(jobs):
        state = await until(state_is(jobs, database, identifier, "running"))
        await until(lambda: _done_is(jobs, database, identifier, 1))
        go.set()
        state = await until(state_is(jobs, database, identifier, "done"))
    assert (state.done, state.total, state.result) == (3, 3, {"counted": 3})


async def _done_is(jobs: Jobs, database: Database, identifier: UUID, done: int) -> bool:
    async with database.api(WORKSPACE) as connection:
        job = await jobs.get(connection, identifier)
    return job is not None and job.done == done


async def test_a_job_of_another_workspace_is_not_seen(database: Database) -> None:
    jobs = Jobs(database)
    identifier = await added(jobs, database, "count")
    async with database.api(uuid4()) as connection:
        assert await jobs.get(connection, identifier) is None
        assert not await jobs.cancel(connection, identifier)


async def test_a_failed_job_keeps_its_error_for_people(database: Database) -> None:
    jobs = Jobs(database, poll=0.05)

    @jobs.kind("bad")
    async def bad(job: Job) -> None:
        raise Invalid("line 7 has no phone number")

    identifier = await added(jobs, database, "bad")
    async with running(jobs):
        state = await until(state_is(jobs, database, identifier, "failed"))
    assert state.error == "line 7 has no phone number"


async def test_a_stopped_job_goes_on_from_its_cursor(database: Database) -> None:
    first, reached = Jobs(database, poll=0.05), asyncio.Event()

    @first.kind("walk")
    async def walk(job: Job) -> None:
        await job.progress(5, 10, cursor={"line": 5})
        reached.set()
        await asyncio.sleep(3600)

    identifier = await added(first, database, "walk")
    async with running(first):
        await reached.wait()
    second = Jobs(database, poll=0.05)
    seen: list[Any] = []

    @second.kind("walk")
    async def walk_on(job: Job) -> None:
        seen.append((job.cursor, job.done, job.attempts))

    async with running(second):
        await until(state_is(second, database, identifier, "done"))
    assert seen == [({"line": 5}, 5, 1)]


async def test_a_job_whose_process_died_is_taken_up_and_the_dead_cannot_write(database: Database) -> None:
    jobs, started, go = Jobs(database, poll=0.05), asyncio.Event(), asyncio.Event()
    runs = 0

    @jobs.kind("walk")
    async def walk(job: Job) -> str:
        nonlocal runs
        runs += 1
        if runs == 1:
            started.set()
            await go.wait()
            await job.progress(99)
            return "from the dead"
        return "from the living"

    identifier = await added(jobs, database, "walk")
    async with running(jobs):
        await started.wait()
        async with database.worker() as connection:
            await connection.execute("update jobs set lease_until = now() - interval '1 s' where id = $1", identifier)
        await until(state_is(jobs, database, identifier, "done"))
        go.set()
        await asyncio.sleep(0.2)
        async with database.api(WORKSPACE) as connection:
            state = await jobs.get(connection, identifier)
    assert state is not None
    assert (state.result, state.done) == ("from the living", 0)


async def test_a_cancelled_job_stops_at_its_next_progress(database: Database) -> None:
    jobs, started, go, ended = Jobs(database, poll=0.05), asyncio.Event(), asyncio.Event(), asyncio.Event()

    @jobs.kind("walk")
    async def walk(job: Job) -> None:
        started.set()
        await go.wait()
        try:
            await job.progress(1)
        finally:
            ended.set()

    identifier = await added(jobs, database, "walk")
    async with running(jobs):
        await started.wait()
        async with database.api(WORKSPACE) as connection:
            assert await jobs.cancel(connection, identifier)
        go.set()
        await ended.wait()
        await until(state_is(jobs, database, identifier, "cancelled"))


async def test_a_dependency_that_is_down_postpones_a_job(database: Database) -> None:
    jobs = Jobs(database, poll=0.05)
    ran = asyncio.Event()

    @jobs.kind("walk")
    async def walk(job: Job) -> None:
        ran.set()
        raise DatabaseUnavailable

    identifier = await added(jobs, database, "walk")
    async with running(jobs):
        await ran.wait()
        state = await until(state_is(jobs, database, identifier, "queued"))
    assert state.error is None
