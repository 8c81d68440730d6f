"""With a part away: a clear 503, nothing half done, and the same message when it is back."""

import asyncio
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pydantic import SecretStr

from tests.integration.gateway.conftest import Build
from tests.support.polling import until

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}


class Gate:
    """A port that leads to a server, and can be shut."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()

    def url(self) -> str:
        user = self.target.netloc.rpartition("@")[0]
        return self.target._replace(netloc=f"{user}@127.0.0.1:{self.port}").geturl()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(self.target.hostname, self.target.port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there_writer}
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        self._writers -= {writer, there_writer}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def gated(make_world: Build) -> Any:
    """A gateway whose broker and database can be taken away."""
    world = await make_world()
    broker, database = Gate(world.vhost), Gate(world.database.api_url)
    await broker.open()
    await database.open()
    worker = Gate(world.database.worker_url)
    await worker.open()
    behind = await world.start_again(
        amqp_url=SecretStr(broker.url()),
        database_api_url=SecretStr(database.url()),
        database_worker_url=SecretStr(worker.url()),
        publish_timeout=0.5,
        database_acquire_timeout=1.0,
        gateway_alive_seconds=0.1,
    )
    yield behind, broker, (database, worker)
    for gate in (broker, database, worker):
        await gate.shut()
        await gate.open()
    await until(lambda: behind.gateway.publisher.connected)


async def test_a_broker_that_is_away_is_503_and_the_retry_is_the_same_message(gated: Any) -> None:
    world, broker, _ = gated
    tenant = await world.tenant()
    key = {"Idempotency-Key": uuid4().hex}
    await broker.shut()
    answer = await world.send(tenant, **key)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"].startswith("application/problem+json")
    unkeyed = await world.send(tenant)
    assert unkeyed.status_code == 503
    (kept,) = await world.rows("select id, state from accepted where workspace_id = $1", tenant.workspace_id)
    assert kept["state"] == "reserved"
    await broker.open()
    await until(lambda: world.gateway.publisher.connected)
    again = await world.send(tenant, **key)
    assert again.status_code == 202
    assert again.json()["id"] == str(kept["id"])
    told = await world.until_told("message.requested", workspace_id=tenant.workspace_id)
    assert {each["message_id"] for each in told} == {str(kept["id"])}


async def test_a_webhook_without_a_confirm_is_503_and_breaks_the_watermark_off(gated: Any) -> None:
    world, broker, _ = gated
    number = await world.number((await world.tenant()).workspace_id)
    await broker.shut()
    answer = await world.webhook(number, {"entry": []})
    assert answer.status_code == 503
    await broker.open()
    await until(lambda: world.gateway.publisher.connected)
    assert (await world.webhook(number, {"entry": []})).status_code == 200


async def test_a_database_that_is_away_is_503_and_nothing_is_sent(gated: Any) -> None:
    world, _, databases = gated
    tenant = await world.tenant()
    assert (await world.send(tenant)).status_code == 202
    await world.until_told("message.requested", workspace_id=tenant.workspace_id)
    for gate in databases:
        await gate.shut()
    answer = await world.send(tenant)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert (await world.login(tenant.email)).status_code == 503
    for gate in databases:
        await gate.open()

    async def back() -> bool:
        return bool((await world.send(tenant)).status_code == 202)

    await until(back)
    told = await world.until_told("message.requested", 2, workspace_id=tenant.workspace_id)
    assert len(told) == 2


async def test_webhooks_are_taken_while_the_database_is_away(gated: Any) -> None:
    world, _, databases = gated
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    assert (await world.webhook(number, {"n": 1})).status_code == 200
    for gate in databases:
        await gate.shut()
    assert (await world.webhook(number, {"n": 2})).status_code == 200
    assert (await world.webhook(number, {"n": 3}, secret="wrong")).status_code == 403
    for gate in databases:
        await gate.open()
    await world.until_told("provider.unrecognized", 2, workspace_id=tenant.workspace_id)


async def test_a_chat_that_hangs_delays_a_send_by_its_limit_at_most(make_world: Build) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(hang, "127.0.0.1", 0)
    world = await make_world(
        chat_url=f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}", gateway_check_timeout=0.2
    )
    tenant = await world.tenant()
    loop = asyncio.get_running_loop()
    for _ in range(3):
        began = loop.time()
        assert (await world.send(tenant)).status_code == 202
        assert 0.2 <= loop.time() - began < 2
    # Asked in vain three times, it is left alone for a moment.
    began = loop.time()
    assert (await world.send(tenant)).status_code == 202
    assert loop.time() - began < 0.2
    silent.close()


async def test_a_stopping_gateway_answers_what_it_has_taken(make_world: Build) -> None:
    world = await make_world()
    second = await world.start_again()
    tenant = await world.tenant()
    assert (await second.send(tenant)).status_code == 202
    sends = [asyncio.create_task(second.send(tenant)) for _ in range(50)]
    await world.until_told("message.requested", 2, workspace_id=tenant.workspace_id)
    second.gateway.stop()
    answers = [
        answer
        for answer in await asyncio.gather(*sends, return_exceptions=True)
        if not isinstance(answer, BaseException)
    ]
    accepted = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert accepted
    told = await world.until_told("message.requested", 1 + len(accepted), workspace_id=tenant.workspace_id)
    assert accepted <= {each["message_id"] for each in told}
