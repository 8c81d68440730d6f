"""What webhooks and sends cost the gateway, in CPU time of its own process: other processes may share its cores."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import orjson
import psutil
import pytest_asyncio
from blazz_chassis.ids import uuid7
from blazz_chassis.publisher import Publisher
from blazz_chassis.seal import Sealer, new_key
from blazz_contracts.events import ChannelUpdated
from blazz_contracts.topology import QUEUES, of_service

from tests.integration.gateway.conftest import CONTEXT_KEY, PUSHER_SECRET, signed
from tests.support.polling import until

WEBHOOKS, SENDS, AT_ONCE = 3_000, 3_000, 64
WEBHOOKS_PER_CORE_SECOND = 700
"""Of one status each. The aim is 1,500; half of it must be there even where others crowd the same cores."""


@dataclass
class Running:
    """A gateway in a process of its own."""

    process: psutil.Process
    url: str
    token: str
    identifier: str
    phone_number_id: str

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(vhost: str, make_database: Any) -> AsyncIterator[Running]:
    """Started as in production, with the demo's rights: no limit."""
    database, key, number = await make_database("gateway"), new_key(), "100000000000001"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "BLAZZ_ENV": "local",
        "BLAZZ_HTTP_PORT": str(port),
        "BLAZZ_AMQP_URL": vhost,
        "BLAZZ_DATABASE_API_URL": database.api_url,
        "BLAZZ_DATABASE_WORKER_URL": database.worker_url,
        "BLAZZ_CONTEXT_KEY": CONTEXT_KEY,
        "BLAZZ_SEAL_KEY": key,
        "BLAZZ_PUSHER_SECRET": PUSHER_SECRET,
        "BLAZZ_CHAT_URL": "http://127.0.0.1:9",
        "BLAZZ_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "blazz_gateway"]
    asked = ["--name", "Bench", "--email", "a@b.test", "--password", "a good password", "--token", "bench", "--json"]
    creating = await asyncio.create_subprocess_exec(
        *command, "create-workspace", *asked, env=environment, stdout=asyncio.subprocess.PIPE
    )
    made = orjson.loads((await creating.communicate())[0])
    others = [queue for queue in QUEUES if queue not in of_service("gateway")]
    publisher = Publisher(vhost, service="chat", queues=others)
    await publisher.start()
    await publisher.declared.wait()
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, "serve", env=environment, stderr=quiet)
    identifier, url = uuid4().hex, f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session:
            await until(lambda: _ready(session, f"{url}/readyz"), 30)
            secrets = Sealer(key).seal(orjson.dumps({"app_secret": "s", "verify_token": "v"}))
            await publisher.publish(
                ChannelUpdated(
                    workspace_id=made["workspace_id"],
                    channel_id=uuid7(),
                    revision=1,
                    provider="meta",
                    display_name="Bench",
                    phone_number_id=number,
                    webhook_identifier=identifier,
                    sealed_webhook_secrets=secrets,
                )
            )
            await until(lambda: _known(session, f"{url}/webhooks/whatsapp/{identifier}"), 30)
        yield Running(psutil.Process(process.pid), url, made["api_token"], identifier, number)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)
        await publisher.stop()


async def _ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _known(session: aiohttp.ClientSession, hook: str) -> bool:
    async with session.post(hook, data=b"{}", headers={"X-Hub-Signature-256": signed(b"{}", "s")}) as answer:
        return answer.status == 200


async def load(call: Callable[[aiohttp.ClientSession, int], Awaitable[int]], count: int) -> float:
    """Make so many calls, 64 at once; return the seconds it took."""
    numbers = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def work() -> None:
            for number in numbers:
                assert await call(session, number) in (200, 202)

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return time.perf_counter() - began


def webhook(running: Running, number: int, statuses: int) -> bytes:
    """A webhook as the Cloud API sends it."""
    items = [
        {
            "id": f"wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI5{number:08d}{each:08d}",
            "status": "delivered",
            "timestamp": "1698266945",
            "recipient_id": "31612345678",
            "biz_opaque_callback_data": f"{uuid4()}:1",
            "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"},
        }
        for each in range(statuses)
    ]
    metadata = {"display_phone_number": "15550001111", "phone_number_id": running.phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": items}
    changes = [{"field": "messages", "value": value}]
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})


async def deliver(running: Running, statuses: int, count: int) -> tuple[float, float]:
    """Deliver webhooks; return seconds and CPU seconds of the gateway."""
    bodies = [webhook(running, number, statuses) for number in range(count)]
    headers = [{"X-Hub-Signature-256": signed(body, "s")} for body in bodies]
    url = f"{running.url}/webhooks/whatsapp/{running.identifier}"

    async def call(session: aiohttp.ClientSession, number: int) -> int:
        async with session.post(url, data=bodies[number], headers=headers[number]) as answer:
            return answer.status

    before = running.cpu()
    seconds = await load(call, count)
    return seconds, running.cpu() - before


def told(figures: str) -> None:
    """Show what was measured."""
    print(f"\n{figures}")


async def test_webhooks_of_one_status(running: Running) -> None:
    await deliver(running, 1, 300)
    seconds, cpu = await deliver(running, 1, WEBHOOKS)
    told(
        f"webhooks of one status: {WEBHOOKS / seconds:.0f}/s, {cpu / WEBHOOKS * 1e6:.0f} µs CPU each, "
        f"{WEBHOOKS / cpu:.0f} a core second"
    )
    assert WEBHOOKS / cpu > WEBHOOKS_PER_CORE_SECOND


async def test_webhooks_of_a_thousand_statuses(running: Running) -> None:
    await deliver(running, 1_000, 2)
    seconds, cpu = await deliver(running, 1_000, 40)
    told(f"webhooks of 1,000 statuses: {40_000 / seconds:.0f} statuses/s, {cpu / 40_000 * 1e6:.1f} µs CPU each")


async def test_sends_over_the_api(running: Running) -> None:
    headers = {"Authorization": f"Bearer {running.token}"}
    body = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}

    async def call(session: aiohttp.ClientSession, number: int) -> int:
        async with session.post(f"{running.url}/api/v1/messages", json=body, headers=headers) as answer:
            return answer.status

    await load(call, 200)
    before = running.cpu()
    seconds = await load(call, SENDS)
    cpu = running.cpu() - before
    rss = running.process.memory_info().rss / 2**20
    told(f"sends (chat away): {SENDS / seconds:.0f}/s, {cpu / SENDS * 1e6:.0f} µs CPU each; {rss:.0f} MiB resident")
