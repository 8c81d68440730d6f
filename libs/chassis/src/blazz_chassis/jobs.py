"""Long work as a row: progress, result, error; taken up again where it stood when its process dies."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from blazz_chassis import context
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import BlazzError, DependencyDown
from blazz_chassis.ids import uuid7

log = structlog.get_logger(__name__)

_LEASE = 30.0  # seconds a job belongs to its process; renewed thrice in that time
_POLL = 1.0  # seconds between two looks for work
_ATTEMPTS = 5  # processes that may die on one job before it is failed

_ADD = """
insert into jobs (id, workspace_id, kind, input, created_by, run_at)
values ($1, $2, $3, $4, $5, coalesce($6, now()))
"""
_TAKE = """
update jobs set state = 'running', attempts = attempts + 1, updated_at = now(),
    lease_until = now() + $2 * interval '1 second', lease_token = $3
where id in (
    select id from jobs
    where kind = any($1::text[]) and run_at <= now()
      and (state = 'queued' or state = 'running' and lease_until < now())
    order by run_at limit 1 for update skip locked)
returning id, workspace_id, kind, input, cursor, done, total, attempts, created_by
"""
_RENEW = """
update jobs set lease_until = now() + $3 * interval '1 second'
where id = $1 and lease_token = $2 and state = 'running' returning 1
"""
_PROGRESS = """
update jobs set done = $3, total = coalesce($4, total), cursor = coalesce($5, cursor), updated_at = now(),
    lease_until = now() + $6 * interval '1 second'
where id = $1 and lease_token = $2 and state = 'running' returning 1
"""
_END = """
update jobs set state = $3, result = $4, error = $5, updated_at = now(), lease_until = null
where id = $1 and lease_token = $2 and state = 'running'
"""
_BACK = """
update jobs set state = 'queued', updated_at = now(), lease_until = null, attempts = attempts - 1,
    run_at = now() + $3 * interval '1 second'
where id = $1 and lease_token = $2 and state = 'running'
"""
_CANCEL = """
update jobs set state = 'cancelled', updated_at = now() where id = $1 and state in ('queued', 'running') returning 1
"""
_GET = """
select id, kind, state, done, total, result, error, created_by, created_at, updated_at from jobs where id = $1
"""


class JobLost(BlazzError):
    """The job is not this process's any more: it was cancelled, or its lease ran out and another took it."""

    code, title = "job_lost", "The job was cancelled or taken over"


@dataclass(slots=True)
class Job:
    """A job in hand."""

    id: UUID
    workspace_id: UUID
    kind: str
    input: dict[str, Any]
    cursor: Any
    done: int
    total: int | None
    attempts: int
    created_by: UUID | None
    _token: UUID = field(repr=False)
    _database: Database = field(repr=False)

    async def progress(
        self, done: int, total: int | None = None, *, cursor: Any = None, connection: Connection | None = None
    ) -> None:
        """Store how far it is, and `cursor` to go on from; in `connection`'s transaction to commit it with the work.

        Raises `JobLost` when the job is not ours any more: stop.
        """
        arguments = (self.id, self._token, done, total, cursor, _LEASE)
        if connection is not None:
            kept = await connection.fetchval(_PROGRESS, *arguments)
        else:
            async with self._database.worker() as own:
                kept = await own.fetchval(_PROGRESS, *arguments)
        if kept is None:
            raise JobLost
        self.done, self.total = done, total if total is not None else self.total
        self.cursor = cursor if cursor is not None else self.cursor


@dataclass(frozen=True, slots=True)
class JobState:
    """What is told of a job."""

    id: UUID
    kind: str
    state: str
    done: int
    total: int | None
    result: Any
    error: str | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


JobHandler = Callable[[Job], Awaitable[Any]]


class Jobs:
    """The jobs of one service: handlers by kind, and the loop that runs them."""

    def __init__(self, database: Database, *, concurrency: int = 2, poll: float = _POLL) -> None:
        """`concurrency`: jobs at once in this process; `poll` in seconds."""
        self._database, self._poll = database, poll
        self._handlers: dict[str, JobHandler] = {}
        self._slots = asyncio.Semaphore(concurrency)
        self._nudged = asyncio.Event()

    def kind(self, name: str) -> Callable[[JobHandler], JobHandler]:
        """Decorate the handler of a kind; what it returns (JSON) is the result. It may run again from `job.cursor`."""

        def add(handler: JobHandler) -> JobHandler:
            self._handlers[name] = handler
            return handler

        return add

    async def add(
        self,
        connection: Connection,
        kind: str,
        workspace_id: UUID,
        input: dict[str, Any] | None = None,  # noqa: A002
        *,
        created_by: UUID | None = None,
        run_at: datetime | None = None,
    ) -> UUID:
        """Write a job in the caller's transaction; return its id."""
        identifier = uuid7()
        await connection.execute(_ADD, identifier, workspace_id, kind, input or {}, created_by, run_at)
        self._nudged.set()
        return identifier

    async def get(self, connection: Connection, identifier: UUID) -> JobState | None:
        """Return a job as this connection's role sees it."""
        row = await connection.fetchrow(_GET, identifier)
        return JobState(**dict(row)) if row is not None else None

    async def cancel(self, connection: Connection, identifier: UUID) -> bool:
        """Cancel it, unless it has ended; who runs it notices at its next progress."""
        return await connection.fetchval(_CANCEL, identifier) is not None

    async def run(self) -> None:
        """Run jobs for ever; what is unfinished when this is cancelled is queued again."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                job = None
                try:
                    job = await self._take()
                except DependencyDown as error:
                    log.info("jobs_wait", reason=error.code)
                finally:
                    if job is None:
                        self._slots.release()
                if job is not None:
                    group.create_task(self._run_one(job), name=f"job-{job.kind}")
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._nudged.wait()
                self._nudged.clear()

    async def _take(self) -> Job | None:
        token = uuid7()
        async with self._database.worker() as connection:
            row = await connection.fetchrow(_TAKE, list(self._handlers), _LEASE, token)
        if row is None:
            return None
        return Job(**dict(row), _token=token, _database=self._database)

    async def _run_one(self, job: Job) -> None:
        try:
            with context.correlated(None, job=str(job.id), job_kind=job.kind):
                await self._attempt(job)
        finally:
            self._slots.release()

    async def _attempt(self, job: Job) -> None:
        if job.attempts > _ATTEMPTS:
            await self._write(_END, job, "failed", None, "the process died on it again and again")
            return
        log.info("job_started", attempt=job.attempts)
        work = asyncio.create_task(_worked(self._handlers[job.kind](job)))
        lease = asyncio.create_task(self._renew(job, work))
        try:
            result = await work
        except asyncio.CancelledError:
            work.cancel()
            if lease.done() and not lease.cancelled():
                log.info("job_lost")
                return
            await asyncio.shield(self._write(_BACK, job, 0.0))
            raise
        except JobLost:
            log.info("job_lost")
        except DependencyDown as error:
            log.warning("job_waits", reason=error.code)
            await self._write(_BACK, job, 5.0)
        except Exception as error:
            log.exception("job_failed")
            told = error.detail if isinstance(error, BlazzError) else f"{type(error).__name__}: {error}"
            await self._write(_END, job, "failed", None, told)
        else:
            await self._write(_END, job, "done", result, None)
            log.info("job_done")
        finally:
            lease.cancel()

    async def _renew(self, job: Job, work: "asyncio.Task[Any]") -> None:
        while True:
            await asyncio.sleep(_LEASE / 3)
            with suppress(DependencyDown):
                async with self._database.worker() as connection:
                    if await connection.fetchval(_RENEW, job.id, job._token, _LEASE) is None:
                        work.cancel()
                        return

    async def _write(self, statement: str, job: Job, *arguments: Any) -> None:
        # A database that is away leaves the lease to run out: the job is taken up again.
        with suppress(DependencyDown):
            async with self._database.worker() as connection:
                await connection.execute(statement, job.id, job._token, *arguments)


async def _worked(work: Awaitable[Any]) -> Any:
    return await work
