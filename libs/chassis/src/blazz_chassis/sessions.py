"""SQLModel sessions for what is not on a hot path, under the same roles and the same row-level security."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from blazz_chassis import metrics
from blazz_chassis.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from blazz_chassis.database import Database

_POOL = 2  # sessions are for rare requests; the hot paths have pools of their own
_SET_WORKSPACE = text("select set_config('app.workspace_id', :workspace_id, true)")


class Sessions:
    """Sessions of one database; connects at first use."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._engines: dict[str, AsyncEngine] = {}

    def _engine(self, url: str) -> AsyncEngine:
        if url not in self._engines:
            engine = create_async_engine(
                url.replace("postgresql://", "postgresql+asyncpg://", 1).replace(
                    "postgres://", "postgresql+asyncpg://", 1
                ),
                pool_size=_POOL,
                max_overflow=_POOL,
                pool_pre_ping=True,
                pool_timeout=5,
                json_serializer=lambda value: orjson.dumps(value).decode(),
                json_deserializer=orjson.loads,
                connect_args={"server_settings": self._database.server_settings, "timeout": 5, "command_timeout": 16},
            )
            event.listen(engine.sync_engine, "after_cursor_execute", _count)
            self._engines[url] = engine
        return self._engines[url]

    @asynccontextmanager
    async def api(self, workspace_id: UUID) -> AsyncIterator[AsyncSession]:
        """One transaction of the api role that sees this workspace only; committed when the block ends well."""
        async with self._transaction(self._database.api_url) as session:
            # Not session.exec: that is for SQLModel's selects, and would warn.
            await (await session.connection()).execute(_SET_WORKSPACE, {"workspace_id": str(workspace_id)})
            yield session

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[AsyncSession]:
        """One transaction of the worker role; committed when the block ends well."""
        async with self._transaction(self._database.worker_url) as session:
            yield session

    @asynccontextmanager
    async def _transaction(self, url: str) -> AsyncIterator[AsyncSession]:
        from blazz_chassis.database import away

        try:
            async with AsyncSession(self._engine(url), expire_on_commit=False) as session, session.begin():
                yield session
        except (OSError, PoolTimeout) as error:
            raise DatabaseUnavailable(probe=self._database.probe) from error
        except DBAPIError as error:
            driver = getattr(error.orig, "__cause__", None) or error.orig
            if error.connection_invalidated or (driver is not None and away(driver)):
                raise DatabaseUnavailable(probe=self._database.probe) from error
            raise

    async def close(self) -> None:
        """Close the engines' connections."""
        await asyncio.gather(*(engine.dispose() for engine in self._engines.values()))


def _count(*_: Any) -> None:
    metrics.sql_statements.inc()
