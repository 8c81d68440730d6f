"""Servers for the tests, real ones, started once a run and only when a test asks.

Where they come from: `BLAZZ_AMQP_URL` + `BLAZZ_AMQP_MANAGEMENT_URL` and `BLAZZ_POSTGRES_URL` when set; else
testcontainers where a Docker engine answers; else the local stack's own, private to this run.
`python -m blazz_local servers` starts a pair that stays and prints the variables, for when the same tests run again
and again (RabbitMQ takes 6 s to boot).

Fixtures, all of session scope unless said otherwise:

`amqp_url`, `amqp_management_url`
    the broker as its administrator, default virtual host
`make_vhost`
    `await make_vhost()` -> URL of a fresh virtual host of its own
`vhost` (module)
    URL of a virtual host that this test module has for itself
`vhost_management` (module)
    a `blazz_local.broker.Management` session
`postgres_url`
    the superuser
`make_database`
    `await make_database("chat")` -> `ServiceDatabase(owner_url, api_url, worker_url, environment, name)`: a fresh,
    migrated database with the roles `chat_owner`, `chat_api`, `chat_worker`; with `migrate=False` an empty one, for
    any name of a service
`chromium_path`, `wa_js`
    a Chromium, and the wa-js bundle: what WhatsApp Web sessions run in
`stack`
    the whole of Blazz, started once a run by the command behind `make up`: the content of its `stack.json`
"""

import asyncio
import fcntl
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from blazz_local import CLONE, Folder, Servers, chromium, npm
from blazz_local import databases as service_databases
from blazz_local.borrowed import borrow, remove_leftovers
from blazz_local.broker import Management
from blazz_local.databases import ServiceDatabase
from blazz_local.services import WA_JS
from xdist.scheduler import LoadScopeScheduling

TEST_FOLDERS = CLONE / ".blazz" / "tests"
"""One folder a run, named by its pid, removed at its end (those of runs that were killed: at the start of the next)."""


WHOLE_STACK = ("tests/e2e/", "tests/reliability/")
"""Tiers whose tests share one stack, and break it: all of them run in one worker."""


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """A file's tests run in one worker, for its module's fixtures, and so do those of the whole stack."""

    def _split_scope(self, nodeid: str) -> str:
        return "the whole stack" if nodeid.startswith(WHOLE_STACK) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    """How tests are handed to workers when there are several (`-n 2`); each has servers of its own."""
    return _Scheduling(config, log)


@contextmanager
def _alone() -> Iterator[None]:
    """What may install something is done by one worker at a time: apt does not bear company."""
    TEST_FOLDERS.mkdir(parents=True, exist_ok=True)
    with (TEST_FOLDERS / "installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class MakeDatabase(Protocol):
    """What the fixture `make_database` gives."""

    def __call__(self, service: str, *, migrate: bool = True) -> Awaitable[ServiceDatabase]:
        """A fresh database for the service."""


@pytest.fixture(scope="session")
def run_folder() -> Folder:
    """The data folder of this run's servers."""
    remove_leftovers(TEST_FOLDERS)
    return Folder(TEST_FOLDERS / str(os.getpid()))


@pytest_asyncio.fixture(scope="session")
async def servers(run_folder: Folder) -> AsyncIterator[Servers]:
    """Both servers, up and running."""
    async with AsyncExitStack() as stack:
        with _alone():
            started = await stack.enter_async_context(borrow(run_folder))
        yield started


@pytest.fixture(scope="session")
def amqp_url(servers: Servers) -> str:
    """The broker, as its administrator."""
    return servers.rabbitmq.amqp_url


@pytest.fixture(scope="session")
def amqp_management_url(servers: Servers) -> str:
    """The broker's management API, with the administrator's name and password."""
    return servers.rabbitmq.management_url


@pytest.fixture(scope="session")
def postgres_url(servers: Servers) -> str:
    """The database server, as superuser."""
    return servers.postgres.url


@pytest_asyncio.fixture(scope="session")
async def make_vhost(servers: Servers) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Makes virtual hosts that live until the end of the run."""
    made: list[str] = []
    parts = urlsplit(servers.rabbitmq.amqp_url)

    async def make() -> str:
        name = f"test-{uuid.uuid4().hex[:12]}"
        async with Management(servers.rabbitmq.management_url) as management:
            await management.create_vhost(name, user=servers.rabbitmq.user)
        made.append(name)
        return parts._replace(path=f"/{name}").geturl()

    yield make
    if not servers.private:
        async with Management(servers.rabbitmq.management_url) as management:
            for name in made:
                await management.delete_vhost(name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def vhost(make_vhost: Callable[[], Awaitable[str]]) -> str:
    """A virtual host that no other test module sees."""
    return await make_vhost()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def vhost_management(amqp_management_url: str) -> AsyncIterator[Management]:
    """A session with the management API."""
    async with Management(amqp_management_url) as management:
        yield management


@pytest_asyncio.fixture(scope="session")
async def make_database(servers: Servers, run_folder: Folder) -> AsyncIterator[MakeDatabase]:
    """Makes databases; a service's migrations run once, later databases are copies of the first."""
    url = servers.postgres.url
    made: list[str] = []
    templates: dict[str, str] = {}

    async def fresh(service: str, template: str | None = None) -> ServiceDatabase:
        name = f"{service_databases.name_of(service)}_{uuid.uuid4().hex[:12]}"
        made.append(name)
        return await service_databases.create(url, service, lambda role: role, database=name, template=template)

    async def make(service: str, *, migrate: bool = True) -> ServiceDatabase:
        if not migrate:
            return await fresh(service)
        if service not in templates:
            migrated = await fresh(service)
            await service_databases.migrate(service, {**os.environ, **migrated.environment})
            templates[service] = migrated.name
        return await fresh(service, templates[service])

    yield make
    if not servers.private:
        for name in made:
            await service_databases.drop(url, name)


@pytest.fixture(scope="session")
def chromium_path(run_folder: Folder) -> Path:
    """A Chromium; it is installed where there is none yet."""
    run_folder.create()
    with _alone():
        chromium.ensure(run_folder, print)
    found = chromium.find()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def wa_js() -> Path:
    """The wa-js bundle as its lock file names it; it is fetched where it is not there yet."""
    npm.install(WA_JS)
    return WA_JS / "node_modules/@wppconnect/wa-js/dist/wppconnect-wa.js"


@pytest_asyncio.fixture(scope="session")
async def stack(run_folder: Folder) -> AsyncIterator[dict[str, Any]]:
    """What `make up`'s own command started, as its `stack.json` says; one for the end-to-end and reliability tiers.

    `BLAZZ_STACK` names the `stack.json` of a stack that runs already, which is then used and left running.
    """
    running = os.environ.get("BLAZZ_STACK")
    if running:
        yield json.loads(Path(running).read_text())  # noqa: ASYNC240 - nothing else runs yet
        return
    folder = run_folder.path / "stack"
    # A clean environment: what this run uses for its own servers is not the stack's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BLAZZ_")}

    async def command(*words: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "blazz_local", "--folder", str(folder), *words),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    with _alone():
        status, output = await command("up", "--detach", "--until-pid", str(os.getpid()))
    assert status == 0, output
    yield json.loads((folder / "stack.json").read_text()) | {"folder": str(folder)}
    status, output = await command("down")
    assert status == 0, output
