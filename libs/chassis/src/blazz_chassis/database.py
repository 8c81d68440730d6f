"""PostgreSQL: two roles, each with a small pool; the workspace is set inside the transaction and gone with it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import asyncpg
import orjson
import structlog
from asyncpg.pool import PoolConnectionProxy
from pydantic import SecretStr

from blazz_chassis import metrics
from blazz_chassis.errors import DatabaseBusy, DatabaseLocked, DatabaseUnavailable

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from blazz_chassis.sessions import Sessions

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = PoolConnectionProxy
    Pool = asyncpg.Pool

log = structlog.get_logger(__name__)

T = TypeVar("T")

_SET_WORKSPACE = "select set_config('app.workspace_id', $1, true)"
# Seconds that a statement's answer may take beyond the server's own limit before the connection counts as dead.
_ANSWER_MARGIN = 1.0
_AWAY = (
    asyncpg.PostgresConnectionError,  # class 08: the connection broke, or cannot be made
    asyncpg.CannotConnectNowError,  # starting up or shutting down
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
)
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class _Pool:
    """A pool that is opened at first use, so that a service starts while its database is away."""

    def __init__(
        self, url: str, size: int, acquire_timeout: float, command_timeout: float, settings: dict[str, str]
    ) -> None:
        self._url, self._size, self._settings = url, size, settings
        self._command_timeout = command_timeout
        self.acquire_timeout = acquire_timeout
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()

    async def opened(self) -> Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    # min_size=0 connects to nothing yet; an idle connection is closed after asyncpg's 300 s.
                    self._pool = await asyncpg.create_pool(
                        self._url,
                        min_size=0,
                        max_size=self._size,
                        init=cast("Any", _prepare),
                        timeout=self.acquire_timeout,
                        command_timeout=self._command_timeout,
                        server_settings=self._settings,
                    )
        return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                async with asyncio.timeout(self.acquire_timeout):
                    await pool.close()
            except TimeoutError:
                pool.terminate()


class Database:
    """A service's database: as its api role (row-level security applies) and as its worker role (all workspaces)."""

    def __init__(
        self,
        api_url: str | SecretStr,
        worker_url: str | SecretStr,
        *,
        service: str = "blazz",
        api_pool: int = 4,
        worker_pool: int = 4,
        acquire_timeout: float = 5.0,
        statement_timeout: float = 15.0,
        api_statement_timeout: float = 5.0,
        lock_timeout: float = 5.0,
        idle_timeout: float = 30.0,
    ) -> None:
        """Take the addresses and limits (seconds). Nothing is connected until it is used."""
        self.api_url, self.worker_url = _plain(api_url), _plain(worker_url)
        self.server_settings = {
            "application_name": service,
            "statement_timeout": _milliseconds(statement_timeout),
            "lock_timeout": _milliseconds(lock_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(idle_timeout),
            "timezone": "UTC",
        }
        # The server keeps its own limits; these hold when it does not answer at all (frozen, or cut off in silence).
        api_settings = {**self.server_settings, "statement_timeout": _milliseconds(api_statement_timeout)}
        self._api = _Pool(self.api_url, api_pool, acquire_timeout, api_statement_timeout + _ANSWER_MARGIN, api_settings)
        self._worker = _Pool(
            self.worker_url, worker_pool, acquire_timeout, statement_timeout + _ANSWER_MARGIN, self.server_settings
        )
        self._sessions: Sessions | None = None

    @asynccontextmanager
    async def api(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """Run the block as one transaction of the api role that sees this workspace only.

        Raises `DatabaseUnavailable` when the database is away, `DatabaseBusy` when a statement took too long, and
        `DatabaseLocked` (one of both) when a lock was not had in time.
        """
        async with self._transaction(self._api) as connection:
            await connection.execute(_SET_WORKSPACE, str(workspace_id))
            yield connection

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Connection]:
        """Run the block as one transaction of the worker role, which sees every workspace. Raises as `api` does."""
        async with self._transaction(self._worker) as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, source: _Pool) -> AsyncIterator[Connection]:
        connection: Connection | None = None
        pool: Pool | None = None
        try:
            pool = await source.opened()
            try:
                connection = await pool.acquire(timeout=source.acquire_timeout)
            except TimeoutError as error:
                raise DatabaseUnavailable(
                    "no database connection was free in time; try again", probe=self.probe
                ) from error
            async with connection.transaction():
                try:
                    yield connection
                except (TimeoutError, asyncpg.InternalClientError):
                    connection.terminate()  # it would not answer a rollback either
                    raise
        except (TimeoutError, asyncpg.InternalClientError) as error:
            # It did not answer in time, or was cut off in the middle of an exchange (asyncpg then calls its own state
            # impossible). Not given back as it is: the pool would wait for its answer.
            if connection is not None:
                connection.terminate()
            raise DatabaseUnavailable(probe=self.probe) from error
        except _AWAY as error:
            raise DatabaseUnavailable(probe=self.probe) from error
        except asyncpg.LockNotAvailableError as error:
            raise DatabaseLocked(probe=self.probe) from error
        except asyncpg.QueryCanceledError as error:
            raise DatabaseBusy from error
        except asyncpg.InterfaceError as error:
            if connection is not None and _is_closed(connection):
                raise DatabaseUnavailable(probe=self.probe) from error
            raise
        finally:
            if connection is not None and pool is not None:
                await _give_back(pool, connection, source.acquire_timeout)

    async def retrying(self, transaction: Callable[[], Awaitable[T]], *, attempts: int = 5) -> T:
        """Run `transaction` (it opens its own) and run it again when PostgreSQL asks for that (40001, 40P01)."""
        for attempt in range(1, attempts + 1):
            try:
                return await transaction()
            except _AGAIN:
                if attempt == attempts:
                    raise
                # Spread, so that the two that met do not meet again.
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def session(self, workspace_id: UUID) -> AsyncIterator["AsyncSession"]:
        """Run the block as one SQLModel session and transaction of the api role that sees this workspace only."""
        async with self._lazy_sessions().api(workspace_id) as session:
            yield session

    @asynccontextmanager
    async def worker_session(self) -> AsyncIterator["AsyncSession"]:
        """Run the block as one SQLModel session and transaction of the worker role."""
        async with self._lazy_sessions().worker() as session:
            yield session

    def _lazy_sessions(self) -> "Sessions":
        if self._sessions is None:
            # SQLAlchemy costs 15 MB and is not on every service's path.
            from blazz_chassis.sessions import Sessions

            self._sessions = Sessions(self)
        return self._sessions

    async def probe(self) -> None:
        """Return when both roles can ask a question; raise `DatabaseUnavailable` when not."""
        for source in (self._api, self._worker):
            async with self._transaction(source) as connection:
                await connection.fetchval("select 1")

    async def close(self) -> None:
        """Close the pools."""
        await self._api.close()
        await self._worker.close()
        if self._sessions is not None:
            await self._sessions.close()


async def _give_back(pool: Pool, connection: Connection, timeout: float) -> None:
    try:
        await pool.release(connection, timeout=timeout)
    except Exception as error:
        # Cut off while asyncpg tidied it up, and closed by that: what was committed is committed.
        log.info("connection_not_given_back", error=repr(error))


def _is_closed(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has taken a broken connection back already


def away(error: BaseException) -> bool:
    """Tell whether this driver error means that the database is away."""
    return isinstance(error, _AWAY)


def _plain(url: str | SecretStr) -> str:
    return url.get_secret_value() if isinstance(url, SecretStr) else url


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _count(_record: object) -> None:
    metrics.sql_statements.inc()


async def _prepare(connection: Connection) -> None:
    connection.add_query_logger(cast("Any", _count))
    # jsonb's binary form is a version byte (1) and the text.
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_dump_jsonb, decoder=_load_jsonb
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=orjson.dumps, decoder=orjson.loads
    )


def _dump_jsonb(value: object) -> bytes:
    return b"\x01" + orjson.dumps(value)


def _load_jsonb(data: bytes) -> object:
    return orjson.loads(memoryview(data)[1:])
