"""The whole stack in one folder: servers, simulator, services, demo."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from blazz_contracts.topology import definitions

from blazz_local import chromium, databases, npm
from blazz_local.address import at_path
from blazz_local.atomic import write_json
from blazz_local.broker import Management
from blazz_local.databases import SERVICES, ServiceDatabase
from blazz_local.errors import LocalError
from blazz_local.folder import Folder
from blazz_local.seed import Demo, check_webhook, seed
from blazz_local.servers import Given, Servers
from blazz_local.services import BRIDGE, SIMULATOR, WA_JS, Site
from blazz_local.supervisor import Say

STOP_ORDER = (["gateway"], ["campaign"], ["chat", "webjs-bridge"], ["notifier"], [SIMULATOR], ["rabbitmq", "postgres"])
"""Who takes work in stops first, who hands it out last: what is under way is finished, not returned."""


class Stack:
    """`async with Stack(folder) as stack:` gives a running stack; `stack.description` is what `stack.json` holds.

    `overrides` are settings for a service (or the simulator) on top of the local ones: `{"chat": {"BLAZZ_…": "…"}}`.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        overrides: Mapping[str, Mapping[str, str]] | None = None,
        services: Sequence[str] = SERVICES,
        given: Given | None = None,
        durable: bool = True,
        demo: bool = True,
        say: Say = print,
    ) -> None:
        self.folder = folder
        self._say = say
        self._servers = Servers(folder, durable=durable, given=given, say=say)
        self._servers.supervisor.changed = self._changed
        self.supervisor = self._servers.supervisor
        self._overrides: dict[str, dict[str, str]] = {name: dict(given) for name, given in (overrides or {}).items()}
        self._services = list(services)
        self._wants_demo = demo
        self._databases: dict[str, ServiceDatabase] = {}
        self._ready = False
        self.demo: Demo | None = None

    async def start(self) -> None:
        """Bring everything up and write `stack.json`. Raises a `LocalError`; then nothing is left running."""
        self.folder.create()
        self.folder.stack_file.unlink(missing_ok=True)
        (self.folder.path / "crash").mkdir(exist_ok=True)
        try:
            await self._start()
        except BaseExceptionGroup as group:
            await self.stop()
            known = group.subgroup(LocalError)
            raise _first(known if known is not None else group) from None
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        began = time.monotonic()
        self._say("starting RabbitMQ and PostgreSQL ...")
        await self._servers.prepare()
        # RabbitMQ takes seconds to boot: the databases are made and migrated meanwhile.
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bring_up_broker())
            group.create_task(self._bring_up_databases())
            group.create_task(self._start_program(SIMULATOR))
            if BRIDGE in self._services:
                group.create_task(asyncio.to_thread(self._get_browser))
        self._say(f"servers are ready ({time.monotonic() - began:.1f} s); starting {', '.join(self._services)} ...")
        async with asyncio.TaskGroup() as group:
            for service in self._services:
                group.create_task(self._start_program(service))
        if self._wants_demo:
            await self._make_demo()
        self._ready = True
        self._changed()

    async def stop(self) -> None:
        """Stop everything in order and remove `stack.json`."""
        self._ready = False
        self.folder.stack_file.unlink(missing_ok=True)
        await self.supervisor.stop_all(*STOP_ORDER)

    def kill(self, name: str) -> int:
        """Kill a process (-9); supervision starts it again. Returns the pid that was killed."""
        return self.supervisor.kill(name)

    async def restart(self, name: str, settings: Mapping[str, str] | None = None) -> None:
        """Stop a program in good order and start it again, with other overrides if given; returns when it serves."""
        if settings is not None:
            self._overrides[name] = dict(settings)
        if name in {*SERVICES, SIMULATOR}:
            await self.supervisor.stop(name)
            await self._start_program(name)
            self._changed()
        else:
            await self.supervisor.restart(name)

    async def wait_ready(self, *names: str, timeout: float = 30.0) -> None:
        """Wait until these programs (all, when none is named) serve."""
        wanted = names or tuple(program.name for program in self.supervisor.programs)
        await asyncio.gather(*(self.supervisor.wait_ready(name, timeout=timeout) for name in wanted))

    @property
    def site(self) -> Site:
        """Addresses and environments of the services."""
        return Site(
            self.folder,
            self._servers.ports,
            self._servers.credentials,
            self._servers.rabbitmq.amqp_url,
            self._databases,
            self._overrides,
        )

    @property
    def description(self) -> dict[str, Any]:
        """The content of `stack.json`."""
        site = self.site
        processes = {
            program.name: {"pid": self.supervisor.pid(program.name)} | ({"url": program.url} if program.url else {})
            for program in self.supervisor.programs
        }
        return {
            "gateway_url": site.url("gateway"),
            "websocket": {"host": "127.0.0.1", "port": self._servers.ports.get("websocket"), "key": site.pusher_key},
            "simulator_url": site.url(SIMULATOR),
            "amqp_url": self._servers.rabbitmq.amqp_url,
            "amqp_management_url": self._servers.rabbitmq.management_url,
            "postgres_url": self._servers.postgres.url,
            # The superuser's: whoever looks into a database here wants to see all of it.
            "databases": {
                service: at_path(self._servers.postgres.url, f"/{database.name}")
                for service, database in self._databases.items()
            },
            "processes": processes,
            "supervisor_pid": os.getpid(),
            "demo": self.demo.described() if self.demo else None,
        }

    async def _start_program(self, name: str) -> None:
        began = time.monotonic()
        await self.supervisor.start(self.site.program(name))
        self._say(f"{name} is ready ({time.monotonic() - began:.1f} s)")

    def _get_browser(self) -> None:
        """What WhatsApp Web sessions run in: Chromium and wa-js."""
        chromium.ensure(self.folder, self._say)
        npm.install(WA_JS)

    async def _bring_up_broker(self) -> None:
        began = time.monotonic()
        await self._servers.start_rabbitmq()
        self._say(f"rabbitmq is ready ({time.monotonic() - began:.1f} s)")
        broker = self._servers.rabbitmq
        vhost = unquote(urlsplit(broker.amqp_url).path.lstrip("/")) or "/"
        passwords = {name: self._servers.credentials.password(f"rabbitmq_{name}") for name in SERVICES}
        async with Management(broker.management_url) as management:
            await management.import_definitions(definitions(passwords, vhost=vhost, scale=self.site.retry_scale))
        self._say(f"users, exchanges and queues are there ({time.monotonic() - began:.1f} s)")

    async def _bring_up_databases(self) -> None:
        began = time.monotonic()
        await self._servers.start_postgres()
        self._say(f"postgres is ready ({time.monotonic() - began:.1f} s); migrating the databases ...")
        password = self._servers.credentials.password
        for service in SERVICES:
            self._databases[service] = await databases.create(self._servers.postgres.url, service, password)
        async with asyncio.TaskGroup() as group:
            for service in self._services:
                group.create_task(self._migrate(service))
        self._say(f"databases are migrated ({time.monotonic() - began:.1f} s)")

    async def _migrate(self, service: str) -> None:
        url, name, digest = self._servers.postgres.url, self._databases[service].name, databases.digest(service)
        if await databases.noted(url, name) == digest:
            return
        log = self.folder.log(f"{service}-migrate")
        await databases.migrate(service, self.site.environment(service), log=log)
        await databases.note(url, name, digest)

    async def _make_demo(self) -> None:
        known = self.site.callback_url
        self.demo = await seed(self.site, self._say)
        if self.site.callback_url != known:
            # From its environment, not by its control API: so it still knows after a crash or a reset.
            await self.supervisor.stop(SIMULATOR)
            await self._start_program(SIMULATOR)
        await check_webhook(self.site)

    def _changed(self) -> None:
        # There while all of it is ready: whoever waits for the file must not find one of a stack half up or half down.
        if self._ready:
            write_json(self.folder.stack_file, self.description, mode=0o600)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
