"""A database for each service, with the three roles the architecture gives it."""

import asyncio
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from blazz_local.address import at_path, with_login
from blazz_local.errors import StartFailed

SERVICES = ("gateway", "chat", "campaign", "notifier", "webjs-bridge")
KINDS = ("owner", "api", "worker")
_ONE_AT_A_TIME = 0x626C617A7A  # "blazz": an advisory lock, for roles belong to the whole server

Passwords = Callable[[str], str]
"""The password of a role, by its name."""


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """The three URLs of a service's database."""

    service: str
    owner_url: str
    api_url: str
    worker_url: str

    @property
    def name(self) -> str:
        """The database's name on its server."""
        return urlsplit(self.owner_url).path.lstrip("/")

    @property
    def environment(self) -> dict[str, str]:
        """As the service's settings name them."""
        return {
            "BLAZZ_DATABASE_OWNER_URL": self.owner_url,
            "BLAZZ_DATABASE_API_URL": self.api_url,
            "BLAZZ_DATABASE_WORKER_URL": self.worker_url,
        }


def name_of(service: str) -> str:
    """The service's database, and the beginning of its roles' names."""
    return service.replace("-", "_")


async def create(
    superuser_url: str, service: str, passwords: Passwords, *, database: str | None = None, template: str | None = None
) -> ServiceDatabase:
    """Make the roles and the database, or bring them up to date; doing it again changes nothing.

    `database` names it otherwise than the service, `template` copies a database that is there (and in use by nobody).
    """
    name = database or name_of(service)
    roles = {kind: f"{name_of(service)}_{kind}" for kind in KINDS}
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ONE_AT_A_TIME)
        for role in roles.values():
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await connection.execute(f'CREATE ROLE "{role}"')
            await connection.execute(
                f'ALTER ROLE "{role}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS '
                f"PASSWORD '{passwords(role)}'"
            )
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            copied = f' TEMPLATE "{template}"' if template else ""
            await connection.execute(f'CREATE DATABASE "{name}" OWNER "{roles["owner"]}"{copied}')
            await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{roles["api"]}", "{roles["worker"]}"')
    finally:
        await connection.close()
    urls = {kind: at_path(with_login(superuser_url, role, passwords(role)), f"/{name}") for kind, role in roles.items()}
    return ServiceDatabase(service, urls["owner"], urls["api"], urls["worker"])


async def drop(superuser_url: str, database: str) -> None:
    """Remove a database, whoever is connected to it."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    finally:
        await connection.close()


def digest(service: str) -> str:
    """A text that changes when any file of the service's migrations, or of the chassis' that run them, does."""
    spec = find_spec(f"blazz_{name_of(service)}")
    chassis = find_spec("blazz_chassis")
    roots = [Path(found.origin).parent for found in (spec, chassis) if found is not None and found.origin is not None]
    files = sorted(file for root in roots for file in (*root.glob("migrations/**/*.py"), *root.glob("migrate*.py")))
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"migrated by {whole.hexdigest()}"


async def noted(superuser_url: str, database: str) -> str | None:
    """What `note` left at the database: gone when somebody made it anew."""
    connection = await asyncpg.connect(superuser_url)
    try:
        found = await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", database
        )
    finally:
        await connection.close()
    return found if isinstance(found, str) else None


async def note(superuser_url: str, database: str, text: str) -> None:
    """Write a comment at the database: `digest`, so that the next start need not migrate again (1.6 s of CPU each)."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(f"COMMENT ON DATABASE \"{database}\" IS '{text}'")
    finally:
        await connection.close()


async def migrate(service: str, environment: Mapping[str, str], *, log: Path | None = None) -> None:
    """Run the service's own `migrate`. Raises `StartFailed` with what it said."""
    command = [sys.executable, "-m", f"blazz_{name_of(service)}", "migrate"]
    process = await asyncio.create_subprocess_exec(
        *command, env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if log is not None:
        with log.open("ab") as file:
            file.write(output)
    if process.returncode:
        text = "\n".join(output.decode(errors="replace").splitlines()[-25:])
        raise StartFailed(f"the migrations of {service} failed ({' '.join(command[1:])}):\n{text}")
