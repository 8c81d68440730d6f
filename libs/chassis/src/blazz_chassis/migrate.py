"""Migrations as a step of their own: Alembic, run by the owner role, in `pre` and `post` steps.

A service's `migrations/versions/` holds one line of revisions, `0001_pre_create.py`, `0002_post_drop_old.py`, …:
`pre` ones must suit the code before and after, `post` ones only the code after. `--step pre`, before new code starts,
goes up to the last `pre` revision (a `post` one before it is of a release that is gone); `--step post`, after it, to
the end.
"""

import asyncio
import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import structlog
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from blazz_chassis.errors import BlazzError
from blazz_chassis.settings import ServiceSettings

log = structlog.get_logger(__name__)

Step = Literal["pre", "post", "all"]

_LOCK = 0x626C617A7A6D  # "blazzm": advisory lock; two instances that migrate at once do it one after the other
_LOCK_TIMEOUT = "10s"  # a migration that waits for a table holds up everybody behind it
_NAMED = re.compile(r"^\d{4}_(pre|post)_\w+\.py$")


class MigrationsBroken(BlazzError):
    """The files in `migrations/versions` are not one line of revisions with steps in their names."""

    code, title = "migrations_broken", "The migrations of this service are not in order"


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that a service's processes use."""

    api: str
    worker: str

    @classmethod
    def of(cls, service: str, settings: ServiceSettings | None = None) -> "Roles":
        """Take them from the addresses, where these name one, else `{service}_api` and `{service}_worker`."""
        name = service.replace("-", "_")

        def user(url: str) -> str:
            return unquote(urlsplit(url).username or "")

        api = user(settings.database_api_url.get_secret_value()) if settings else ""
        worker = user(settings.database_worker_url.get_secret_value()) if settings else ""
        return cls(api or f"{name}_api", worker or f"{name}_worker")


_roles: ContextVar[Roles] = ContextVar("roles")


def upgrade(service: str, settings: ServiceSettings, package: str, step: Step = "all") -> list[str]:
    """Bring the database up to date for this step; return the revisions applied.

    `package` is the service's migrations package (`blazz_chat.migrations`). Several instances may call it at once.
    """
    settings.require("database_owner_url")
    return asyncio.run(upgrade_async(service, settings, package, step))


async def upgrade_async(service: str, settings: ServiceSettings, package: str, step: Step = "all") -> list[str]:
    """The same, inside an event loop."""
    script = scripts(package)
    engine = create_async_engine(_driver_url(settings.database_owner_url.get_secret_value()))
    token = _roles.set(Roles.of(service, settings))
    try:
        async with engine.connect() as connection:
            # Held by the session, not a transaction: each revision commits on its own.
            await connection.execute(text(f"select pg_advisory_lock({_LOCK})"))
            await connection.execute(text(f"set lock_timeout = '{_LOCK_TIMEOUT}'"))
            await connection.commit()
            applied = await connection.run_sync(_upgrade, script, step)
            await connection.commit()
            await connection.execute(text(f"select pg_advisory_unlock({_LOCK})"))
            await connection.commit()
    finally:
        _roles.reset(token)
        await engine.dispose()
    log.info("migrated", service=service, step=step, applied=applied)
    return applied


def scripts(package: str) -> ScriptDirectory:
    """Return the revisions of a migrations package, checked. Raises `MigrationsBroken`."""
    folder = Path(next(iter(import_module(package).__path__)))
    versions = folder / "versions"
    wrong = [file.name for file in versions.glob("*.py") if file.name != "__init__.py" and not _NAMED.match(file.name)]
    if wrong:
        raise MigrationsBroken(f"name them NNNN_pre_title.py or NNNN_post_title.py: {', '.join(sorted(wrong))}")
    script = ScriptDirectory(str(folder), version_locations=[str(versions)])
    if len(script.get_heads()) > 1:
        raise MigrationsBroken(f"more than one head: {', '.join(script.get_heads())}")
    return script


def _upgrade(connection: Connection, script: ScriptDirectory, step: Step) -> list[str]:
    applied: list[str] = []

    def wanted(current: Any, context: MigrationContext) -> Any:
        done = {
            each.revision for head in context.get_current_heads() for each in script.iterate_revisions(head, "base")
        }
        pending = [each for each in reversed(list(script.walk_revisions())) if each.revision not in done]
        if step == "pre":
            while pending and _step_of(pending[-1]) == "post":
                pending.pop()
        applied.extend(each.revision for each in pending)
        return script._upgrade_revs(pending[-1].revision, current) if pending else []  # as alembic.command does

    with EnvironmentContext(Config(), script, fn=wanted) as environment:
        environment.configure(connection=connection, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
    return applied


def _step_of(script: Script) -> str:
    match = _NAMED.match(Path(script.path).name)
    return match.group(1) if match else "pre"


def _driver_url(url: str) -> str:
    return re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", url)


# --- for revision files


def roles() -> Roles:
    """The roles this migration grants to."""
    return _roles.get()


def grant(
    op: Operations | Any,
    table: str,
    *,
    api: str | None = "select, insert, update, delete",
    worker: str | None = "select, insert, update, delete",
) -> None:
    """Let the roles use a table that belongs to no single workspace; None leaves a role out."""
    for role, rights in ((roles().api, api), (roles().worker, worker)):
        if rights:
            op.execute(f'grant {rights} on {_quoted(table)} to "{role}"')


def enable_rls(op: Operations | Any, table: str, *, column: str = "workspace_id") -> None:
    """Let the api role see and write only rows of the transaction's workspace, the worker role all; grant both.

    A pooled connection that has had a workspace leaves `''` behind, not null: that sees nothing, too.
    """
    grant(op, table)
    own = f"{column} = nullif(current_setting('app.workspace_id', true), '')::uuid"
    name = table.rpartition(".")[2]
    op.execute(f"alter table {_quoted(table)} enable row level security")
    op.execute(f'create policy {name}_api on {_quoted(table)} to "{roles().api}" using ({own}) with check ({own})')
    op.execute(f'create policy {name}_worker on {_quoted(table)} to "{roles().worker}" using (true) with check (true)')


def _quoted(table: str) -> str:
    return ".".join(f'"{part}"' for part in table.split("."))


_OUTBOX = """
create table outbox (
    id uuid primary key,
    workspace_id uuid not null,
    exchange text not null,
    routing_key text not null,
    mandatory boolean not null,
    type text not null,
    version smallint not null,
    body bytea not null,
    headers jsonb not null,
    created_at timestamptz not null default now(),
    lease_until timestamptz not null,
    lease_token uuid not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""
_INBOX = """
create table inbox (
    consumer text not null,
    message_id uuid not null,
    received_at timestamptz not null default now(),
    primary key (consumer, message_id)
)
"""
_JOBS = """
create table jobs (
    id uuid primary key,
    workspace_id uuid not null,
    kind text not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    input jsonb not null default '{}',
    cursor jsonb,
    done bigint not null default 0,
    total bigint,
    result jsonb,
    error text,
    attempts smallint not null default 0,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    run_at timestamptz not null default now(),
    lease_until timestamptz,
    lease_token uuid
)
"""


def create_chassis_tables(op: Operations | Any) -> None:
    """Create `outbox`, `inbox` and `jobs`: the first thing in a service's first revision."""
    op.execute(_OUTBOX)
    op.execute("create index outbox_lease_until on outbox (lease_until)")
    op.execute(_INBOX)
    op.execute("create index inbox_received_at on inbox (received_at)")
    op.execute(_JOBS)
    op.execute("create index jobs_due on jobs (run_at) where state in ('queued', 'running')")
    op.execute("create index jobs_of_workspace on jobs (workspace_id, created_at desc)")
    enable_rls(op, "outbox")
    enable_rls(op, "jobs")
    grant(op, "inbox", api=None)


def drop_chassis_tables(op: Operations | Any, tables: Iterable[str] = ("jobs", "inbox", "outbox")) -> None:
    """Undo `create_chassis_tables`."""
    for table in tables:
        op.execute(f"drop table if exists {table}")
