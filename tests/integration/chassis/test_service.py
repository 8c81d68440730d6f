"""A whole service: it starts without its servers, serves, and stops in order."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any
from uuid import uuid4

import httpx
from blazz_chassis.app import Service
from blazz_chassis.consumer import Consumer
from blazz_chassis.publisher import Publisher
from blazz_chassis.settings import ServiceSettings
from blazz_contracts import Envelope
from blazz_contracts.topology.definitions import permissions
from pydantic import SecretStr

from tests.support.polling import until

from .conftest import QUEUE, SCALE, Broker, Ordered

WORKSPACE = uuid4()


def settings_of(migrated: ServiceSettings, broker_url: str, **more: Any) -> ServiceSettings:
    changed = {"amqp_url": SecretStr(broker_url), "http_port": 0, "outbox_poll": 0.1, "retry_scale": SCALE, **more}
    return migrated.model_copy(update=changed)


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[str]:
    task = asyncio.create_task(service.serve())
    waiting = asyncio.create_task(service.started.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield f"http://127.0.0.1:{service.port}"
    finally:
        service.stop()
        await task


async def ready(client: httpx.AsyncClient) -> dict[str, Any] | None:
    response = await client.get("/readyz")
    return response.json() if response.status_code == 200 else None


def with_queue(service: Service, handler: Callable[[Any, Any], Any]) -> Service:
    service.publisher = Publisher(
        service.settings.amqp_url, service="chassis", queues=[QUEUE], retry_scale=SCALE, timeout=2
    )
    service.consumer = Consumer(service.settings.amqp_url, service.publisher, service="chassis")
    service.consumer.on(QUEUE, Ordered, concurrency=10)(handler)
    service.outbox._publisher = service.publisher
    return service


async def test_a_service_is_ready_when_all_it_needs_is_there(broker: Broker, migrated: ServiceSettings) -> None:
    async def handler(event: Ordered, envelope: Envelope) -> None: ...

    service = with_queue(Service("chassis", settings_of(migrated, broker.url)), handler)
    async with serving(service) as url, httpx.AsyncClient(base_url=url) as client:
        body = await until(lambda: ready(client))
        assert set(body["checks"]) == {"service", "publisher", "consumer", "database", "outbox"}
        assert (await client.get("/livez")).status_code == 200


async def test_a_service_starts_without_broker_and_database_and_finds_them_later(
    broker: Broker, migrated: ServiceSettings
) -> None:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    real = httpx.URL(broker.url.replace("amqp://", "http://"))
    moved = broker.url.replace(f":{real.port}/", f":{port}/")
    handled: list[int] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        handled.append(event.number)

    service = with_queue(Service("chassis", settings_of(migrated, moved)), handler)
    async with serving(service) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["publisher"] == "not connected"
        assert (await client.get("/livez")).status_code == 200
        forward = await asyncio.start_server(lambda r, w: _forward(r, w, real.port or 0), "127.0.0.1", port)
        async with forward:
            await until(lambda: ready(client), 15)
            await service.publisher.publish(Ordered(workspace_id=WORKSPACE, number=1))
            await until(lambda: handled == [1])


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, here = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    await asyncio.gather(pump(reader, here), pump(there, writer))


async def test_a_stop_finishes_handlers_then_batches_then_outbox_then_requests(
    broker: Broker, migrated: ServiceSettings
) -> None:
    told: list[str] = []
    begun, go = asyncio.Event(), asyncio.Event()

    async def flush(items: list[int]) -> list[None]:
        told.append("flush")
        return [None] * len(items)

    async def handler(event: Ordered, envelope: Envelope) -> None:
        begun.set()
        await go.wait()
        told.append("handler")
        await batcher.submit(event.number)

    service = with_queue(Service("chassis", settings_of(migrated, broker.url)), handler)
    batcher = service.batcher(flush, name="t", max_wait=0.5)

    async def background() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            told.append("background")

    async def watching() -> None:
        await service.stopping.wait()
        await asyncio.sleep(0.05)
        told.append("finishes")

    @service.http_app.get("/slow")
    async def slow() -> str:
        await go.wait()
        await asyncio.sleep(0.3)
        told.append("request")
        return "answered"

    service.background("waits", background)
    service.background("watches", watching, finishes=True)

    async def stopped() -> None:
        told.append("on_stop")

    service.on_stop(stopped)
    async with serving(service) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        await until(lambda: ready(client))
        await service.publisher.publish(Ordered(workspace_id=WORKSPACE, number=1))
        await begun.wait()
        request = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.05)
        service.stop()
        assert (await client.get("/readyz")).json()["checks"]["service"] == "stopping"
        go.set()
        assert (await request).json() == "answered"
    assert told.index("handler") < told.index("flush") < told.index("background")
    assert told[-1] == "on_stop"
    assert "finishes" in told
    assert await broker.ready(QUEUE.name) == 0


async def test_a_background_task_that_crashes_runs_again(broker: Broker, migrated: ServiceSettings) -> None:
    runs = 0

    async def crash() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError

    service = Service("chassis", settings_of(migrated, broker.url))
    service.background("crashes", crash)
    async with serving(service):
        await until(lambda: runs == 3)


PROGRAM = """
import sys
from blazz_chassis import commands
from blazz_chassis.app import Service
from blazz_chassis.settings import ServiceSettings

sys.exit(commands.main("chassis", ServiceSettings, lambda settings: Service("chassis", settings), "none"))
"""


async def test_a_process_serves_until_sigterm_and_ends_well(broker: Broker, migrated: ServiceSettings) -> None:
    environment = {
        **os.environ,
        "BLAZZ_ENV": "local",
        "BLAZZ_HTTP_PORT": "0",
        "BLAZZ_LOG_FORMAT": "json",
        "BLAZZ_AMQP_URL": broker.url,
        "BLAZZ_DATABASE_API_URL": migrated.database_api_url.get_secret_value(),
        "BLAZZ_DATABASE_WORKER_URL": migrated.database_worker_url.get_secret_value(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        lines: list[str] = []
        async with asyncio.timeout(20):
            while not any("service_started" in line for line in lines):
                lines.append((await process.stderr.readline()).decode())
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            rest = (await process.stderr.read()).decode()
            assert await process.wait() == 0, rest
        assert "service_stopped" in rest
        assert broker.url not in "".join(lines) + rest
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_missing_settings_end_the_process_with_one_sentence() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BLAZZ_")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "chassis: set BLAZZ_AMQP_URL in the environment\n"


async def test_a_service_works_with_the_rights_its_own_user_has(broker: Broker, migrated: ServiceSettings) -> None:
    user = f"chassis-{uuid4().hex[:6]}"
    await broker.management.put_user(user, "pass")
    await broker.management.allow(user, vhost=broker.vhost, **permissions("chassis"))
    real = httpx.URL(broker.url.replace("amqp://", "http://"))
    handled: list[int] = []

    async def handler(event: Ordered, envelope: Envelope) -> None:
        handled.append(event.number)
        if len(handled) == 1:
            raise RuntimeError("once")

    restricted = f"amqp://{user}:pass@{real.host}:{real.port}/{broker.vhost}"
    service = with_queue(Service("chassis", settings_of(migrated, restricted)), handler)
    try:
        async with serving(service) as url, httpx.AsyncClient(base_url=url) as client:
            await until(lambda: ready(client))
            await service.publisher.publish(Ordered(workspace_id=WORKSPACE, number=1))
            await until(lambda: handled == [1, 1])
    finally:
        await broker.management.call("DELETE", f"users/{user}")
