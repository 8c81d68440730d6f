"""Publishing: the traps of the client library and the broker, avoided."""

import asyncio
from uuid import uuid4

import pytest
from blazz_chassis import outgoing
from blazz_chassis.errors import Unroutable
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import SocketTriggered, WorkspaceUpdated
from blazz_contracts.topology import PASSING_QUEUE, UNROUTED_QUEUE, Address

from tests.support.polling import until

from .conftest import QUEUE, Broker, Happened, Ordered

WORKSPACE = uuid4()


async def test_a_command_nobody_takes_raises(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        with pytest.raises(Unroutable):
            await publisher.publish(
                Ordered(workspace_id=WORKSPACE, number=1),
                to=Address("blazz.commands", "nobody.listens", mandatory=True),
            )


async def test_an_event_nobody_takes_is_kept(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        await publisher.publish(
            Happened(workspace_id=WORKSPACE, number=1),
            to=Address("blazz.events", f"chassis.unheard.{WORKSPACE}", False),
        )
        message = await broker.take(UNROUTED_QUEUE)
    assert message.type == "chassis.happened"


async def test_messages_are_persistent_and_carry_the_envelope(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        identifier = await publisher.publish(Ordered(workspace_id=WORKSPACE, number=7))
        message = await broker.take(QUEUE.name)
    assert message.delivery_mode == 2
    assert message.message_id == str(identifier)
    assert message.type == "chassis.ordered"
    assert message.app_id == "chassis"
    assert message.correlation_id
    assert message.headers["schema-version"] == 1
    assert message.headers["workspace-id"] == str(WORKSPACE)


async def test_a_publish_to_a_missing_exchange_harms_no_other(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        event = Ordered(workspace_id=WORKSPACE, number=1)
        results = await asyncio.gather(
            *(publisher.publish(event) for _ in range(20)),
            publisher.publish(event, to=Address("not.there", "x", mandatory=True)),
            *(publisher.publish(event) for _ in range(20)),
            return_exceptions=True,
        )
    assert [type(result) for result in results if isinstance(result, BaseException)] == [Unroutable]
    assert await broker.ready(QUEUE.name) == 40


async def test_an_exchange_deleted_under_the_publisher_comes_back(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        channel = await broker.raw()
        await channel.exchange_delete("blazz.commands")
        await publisher.publish_many([Ordered(workspace_id=WORKSPACE, number=n) for n in range(20)])
    assert await broker.ready(QUEUE.name) == 20


async def test_many_are_published_in_order(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        await publisher.publish_many([Ordered(workspace_id=WORKSPACE, number=n) for n in range(100)])
        numbers = [Ordered.model_validate_json((await broker.take(QUEUE.name)).body).number for _ in range(100)]
    assert numbers == list(range(100))


async def test_a_long_list_is_published_in_its_own_time(broker: Broker) -> None:
    # The limit of one publish does not run while it waits behind its own list.
    async with broker.publisher(timeout=1.0, in_flight=50) as publisher:
        await publisher.publish_many([Ordered(workspace_id=WORKSPACE, number=n) for n in range(8000)])
    assert await broker.ready(QUEUE.name) == 8000


async def test_a_refused_topology_is_told_and_publishing_goes_on(broker: Broker) -> None:
    channel = await broker.raw()
    await channel.declare_queue(QUEUE.dead, durable=True, arguments={"x-queue-type": "quorum"})
    await channel.declare_queue(QUEUE.name, durable=True, arguments={"x-queue-type": "quorum", "x-max-length": 5})
    publisher = Publisher(broker.url, service="chassis", queues=[QUEUE])
    await publisher.start()
    try:
        await until(lambda: publisher.connected)
        assert publisher.declare_error is not None
        assert "PRECONDITION_FAILED" in publisher.declare_error
        assert not publisher.declared.is_set()
        await publisher.publish(Happened(workspace_id=WORKSPACE, number=1))
        await channel.queue_delete(QUEUE.name)
        await publisher.redeclare()
        assert publisher.declared.is_set()
    finally:
        await publisher.stop()


async def test_what_may_change_is_a_policy_and_changes_under_a_running_consumer(broker: Broker) -> None:
    async with broker.publisher() as publisher:
        definition = {"pattern": r"^.*\.dead$", "definition": {"max-length": 3}, "apply-to": "queues", "priority": 10}
        await broker.api("PUT", "policies/{vhost}/blazz-dead", definition)
        await publisher.redeclare()
        assert publisher.declare_error is None
        for number in range(6):
            message = outgoing.of(Ordered(workspace_id=WORKSPACE, number=number), app_id="t")
            message.exchange, message.routing_key = "", QUEUE.dead
            await publisher.send(message)

        async def three_are_left() -> bool:
            return await broker.ready(QUEUE.dead) == 3

        await until(three_are_left)


async def test_an_event_that_nobody_listens_to_right_now_does_not_pile_up_among_the_unrouted(broker: Broker) -> None:
    """Progress and presence are told to whoever listens; with no listener they are nobody's business."""
    workspace_id = uuid4()
    passing = SocketTriggered(workspace_id=workspace_id, channels=["public"], event="e", data="{}")
    async with broker.publisher() as publisher:
        await publisher.publish_many([passing] * 20)
        await publisher.publish(WorkspaceUpdated(workspace_id=workspace_id, revision=1, display_name="kept"))
    kept = await broker.take(UNROUTED_QUEUE)
    assert kept.type == "workspace.updated"
    assert await broker.ready(UNROUTED_QUEUE) == 0
    assert await broker.ready(PASSING_QUEUE) == 0
