"""Queues of an owner: nothing leaks when the broker refuses, and what is deleted comes back."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aio_pika
from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.ids import uuid7
from blazz_chassis.owned_queues import OwnedQueues
from blazz_chassis.publisher import Publisher
from blazz_contracts.content import Text
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from blazz_contracts.topology import session_queue
from blazz_contracts.topology.exchange import SESSIONS_LADDER

from tests.support.polling import until


def a_send(session_id: Any) -> SessionSend:
    return SessionSend(
        workspace_id=uuid4(),
        session_id=session_id,
        message_id=uuid7(),
        attempt=1,
        to=Person(phone="4915112345678"),
        content=Text(body="Hello"),
        requested_at=datetime.now(UTC),
    )


async def test_a_refused_ladder_leaks_no_connection(make_vhost: Callable[[], Awaitable[str]], monkeypatch: Any) -> None:
    url = await make_vhost()
    publisher = Publisher(url, service="owner", queues=[])
    await publisher.start()
    await publisher.declared.wait()
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.declare_queue(SESSIONS_LADDER.steps[0].name, durable=True)  # with other arguments
    made: list[Any] = []
    connect = aio_pika.connect_robust

    async def counted(*args: Any, **kwargs: Any) -> Any:
        made.append(await connect(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(aio_pika, "connect_robust", counted)
    queues = OwnedQueues(url, publisher, service="owner", ladder=SESSIONS_LADDER)
    for _ in range(2):
        try:
            await queues.declare(session_queue(uuid4()))
        except BrokerUnavailable:
            continue
        raise AssertionError("the ladder was to be refused")
    assert len(made) == 2
    assert all(each.is_closed for each in made)
    await queues.stop()
    await publisher.stop()


async def test_a_session_queue_that_was_deleted_comes_back(make_vhost: Callable[[], Awaitable[str]]) -> None:
    url = await make_vhost()
    publisher = Publisher(url, service="owner", queues=[])
    await publisher.start()
    queues = OwnedQueues(url, publisher, service="owner", ladder=SESSIONS_LADDER)
    session_id = uuid4()
    queue, heard = session_queue(session_id), []

    async def hear(event: SessionSend, _envelope: object) -> None:
        heard.append(event.message_id)

    subscription = await queues.consume(queue, SessionSend, hear, concurrency=2)
    await queues.restore()
    assert await subscription.registered()
    await queues.delete(queue)

    async def cancelled() -> bool:
        return not await subscription.registered()

    await until(cancelled)
    await queues.restore()
    sent = a_send(session_id)
    await publisher.publish(sent)
    await until(lambda: heard == [sent.message_id])
    await queues.release(queue, within=1)
    await queues.stop()
    await publisher.stop()
