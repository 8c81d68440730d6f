"""Servers for a test run: given by the environment, in Docker by testcontainers, or the local stack's own."""

import asyncio
import os
import shutil
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from blazz_local import postgres, rabbitmq
from blazz_local.folder import Folder
from blazz_local.process import end_strays
from blazz_local.servers import Given, Servers
from blazz_local.supervisor import until

POSTGRES_IMAGE = "postgres:18"


@asynccontextmanager
async def borrow(folder: Folder) -> AsyncIterator[Servers]:
    """Both servers for as long as the context lasts; what was started for it is stopped, and the folder removed."""
    async with AsyncExitStack() as stack:
        given = Given.from_environment()
        if not given.complete and rabbitmq.docker_answers():
            given = await _in_containers(given, stack)
        folder.create()
        stack.callback(shutil.rmtree, folder.path, ignore_errors=True)
        servers = Servers(folder, durable=False, given=given, say=_to_log(folder))
        yield await stack.enter_async_context(servers)


def remove_leftovers(parent: Path) -> None:
    """Remove the folders (named by pid) of runs that are over, and end what a killed run left behind."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        if not folder.name.isdigit() or not Path("/proc", folder.name).exists():
            for part in (folder, folder / "stack"):  # its servers, its whole stack
                end_strays(part)
            shutil.rmtree(folder, ignore_errors=True)


async def _in_containers(given: Given, stack: AsyncExitStack) -> Given:
    with warnings.catch_warnings():  # its own use of what it calls deprecated is not this run's concern
        warnings.simplefilter("ignore")
        from testcontainers.core.container import DockerContainer

    def start(container: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            container.start()
        stack.callback(container.stop)
        return container

    if given.amqp_url is None:
        container = DockerContainer(rabbitmq.DOCKER_IMAGE).with_exposed_ports(5672, 15672)
        container = container.with_env("RABBITMQ_DEFAULT_USER", "blazz").with_env("RABBITMQ_DEFAULT_PASS", "blazz")
        await asyncio.to_thread(start, container)
        host, amqp, management = (
            container.get_container_host_ip(),
            container.get_exposed_port(5672),
            container.get_exposed_port(15672),
        )
        given = replace(
            given,
            amqp_url=f"amqp://blazz:blazz@{host}:{amqp}/",
            amqp_management_url=f"http://blazz:blazz@{host}:{management}",
        )
        await until(
            rabbitmq.serves(str(given.amqp_management_url), int(amqp), host=host), timeout=rabbitmq.BOOT_SECONDS
        )
    if given.postgres_url is None:
        container = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432).with_env("POSTGRES_PASSWORD", "blazz")
        container = container.with_command(
            f"postgres -c max_connections={postgres.MAX_CONNECTIONS} -c shared_preload_libraries=pg_stat_statements"
        )
        await asyncio.to_thread(start, container)
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(5432)}"
        given = replace(given, postgres_url=f"postgresql://postgres:blazz@{address}/postgres")
        await until(postgres.serves(str(given.postgres_url)), timeout=60)
    return given


def _to_log(folder: Folder) -> Any:
    def say(text: str) -> None:
        with (folder.logs / "supervisor.log").open("a") as file:
            file.write(f"{os.getpid()} {text}\n")

    return say
