"""The queue of one instance, against a real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from blazz_chassis.errors import BrokerUnavailable
from blazz_chassis.instance_queue import InstanceQueue
from blazz_contracts.events import AccessRevoked, SocketTriggered


def key(workspace: UUID) -> str:
    return f"*.*.{workspace}"


def triggered(workspace: UUID, data: str) -> SocketTriggered:
    return SocketTriggered(workspace_id=workspace, channels=["a"], event="e", data=data)


class Listener:
    """A queue and what it has heard."""

    def __init__(self, url: str, **options: Any) -> None:
        self.heard: list[str] = []
        self.gaps: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.queue = InstanceQueue(url, service="notifier", instance="test", on_gap=self._gap, **options)

        @self.queue.on(SocketTriggered)
        async def hear(event: SocketTriggered, envelope: Any) -> None:
            await self.free.wait()
            self.heard.append(event.data)
            if event.data == "bad":
                raise ValueError("a handler that fails")

    async def _gap(self, reason: str) -> None:
        self.gaps.append(reason)


@pytest_asyncio.fixture(loop_scope="session")
async def listen(vhost: str) -> AsyncIterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def make(url: str = vhost, **options: Any) -> Listener:
        listener = Listener(url, **options)
        made.append(listener)
        return listener

    yield make
    for listener in made:
        listener.free.set()
        await listener.queue.stop()


async def test_only_bound_workspaces_are_heard_in_order(listen, publisher, eventually):
    listener, here, elsewhere = listen(), uuid4(), uuid4()
    await listener.queue.start()
    await listener.queue.bind(key(here))
    for number in range(50):
        await publisher.publish(triggered(elsewhere, "not for us"))
        await publisher.publish(triggered(here, str(number)))
    await eventually(lambda: len(listener.heard) >= 50)
    assert listener.heard == [str(number) for number in range(50)]


async def test_an_unbound_workspace_is_heard_no_more(listen, publisher, eventually):
    listener, left, kept = listen(), uuid4(), uuid4()
    await listener.queue.start()
    await listener.queue.bind(key(left))
    await listener.queue.bind(key(kept))
    await listener.queue.unbind(key(left))
    assert not listener.queue.bound(key(left))
    await publisher.publish(triggered(left, "gone"))
    await publisher.publish(triggered(kept, "here"))
    await eventually(lambda: listener.heard)
    assert listener.heard == ["here"]


async def test_bind_and_unbind_in_any_order_end_as_last_asked(listen, publisher, eventually):
    listener, workspace, last = listen(), uuid4(), uuid4()
    await listener.queue.start()
    await listener.queue.bind(key(last))
    await asyncio.gather(
        listener.queue.bind(key(workspace)), listener.queue.unbind(key(workspace)), return_exceptions=True
    )
    assert not listener.queue.bound(key(workspace))
    await listener.queue.bind(key(workspace))
    await publisher.publish(triggered(workspace, "one"))
    await eventually(lambda: listener.heard == ["one"])


async def test_a_caller_that_gives_up_while_binding_leaves_the_queue_whole(listen, publisher, eventually):
    listener, workspace, other = listen(), uuid4(), uuid4()
    await listener.queue.start()
    await listener.queue.bind(key(other))
    for _ in range(20):
        task = asyncio.create_task(listener.queue.bind(key(workspace)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.queue.unbind(key(workspace))
    await publisher.publish(triggered(other, "still here"))
    await eventually(lambda: listener.heard == ["still here"])
    assert listener.gaps == []


async def test_a_failing_handler_and_an_undecodable_message_stop_nothing(listen, publisher, eventually):
    listener, workspace = listen(), uuid4()
    await listener.queue.start()
    await listener.queue.bind(key(workspace))
    # Another type in the body than the envelope names is undecodable; an event without a handler is not for us.
    undecodable = SocketTriggered.model_construct(workspace_id=workspace, channels=None, event=1, data=[])
    with pytest.warns(UserWarning, match="serializ"):
        await publisher.publish(undecodable)
    await publisher.publish(AccessRevoked(workspace_id=workspace, socket_ids=[], reason="x"))
    await publisher.publish(triggered(workspace, "bad"))
    await publisher.publish(triggered(workspace, "good"))
    await eventually(lambda: listener.heard == ["bad", "good"])


async def test_after_a_lost_connection_everything_is_bound_again_and_the_gap_is_told(
    listen, publisher, proxy, eventually
):
    listener, workspaces = listen(proxy.url), [uuid4() for _ in range(20)]
    await listener.queue.start()
    for workspace in workspaces:
        await listener.queue.bind(key(workspace))
    await proxy.cut()
    await eventually(lambda: not listener.queue.connected)
    await publisher.publish(triggered(workspaces[0], "missed"))
    await proxy.mend()
    await eventually(lambda: listener.gaps == ["reconnected"])
    for number, workspace in enumerate(workspaces):
        await publisher.publish(triggered(workspace, str(number)))
    await eventually(lambda: len(listener.heard) >= 20)
    assert listener.heard == [str(number) for number in range(20)]


async def test_binding_with_the_broker_away_is_refused_in_time_and_done_when_it_is_back(
    listen, publisher, proxy, eventually
):
    listener, workspace = listen(proxy.url, bind_timeout=0.3), uuid4()
    await listener.queue.start()
    await eventually(lambda: listener.queue.connected)
    await proxy.cut()
    await eventually(lambda: not listener.queue.connected)
    with pytest.raises(BrokerUnavailable):
        await listener.queue.bind(key(workspace))
    with pytest.raises(BrokerUnavailable):
        await listener.queue.probe()
    await proxy.mend()
    await eventually(lambda: listener.queue.bound(key(workspace)))
    await publisher.publish(triggered(workspace, "back"))
    await eventually(lambda: listener.heard == ["back"])


async def test_a_full_queue_drops_its_oldest_and_tells_so(listen, publisher, eventually):
    listener, workspace = listen(prefetch=2, max_length=10), uuid4()
    await listener.queue.start()
    await listener.queue.bind(key(workspace))
    listener.free.clear()
    for number in range(100):
        await publisher.publish(triggered(workspace, str(number)))
    listener.free.set()
    await eventually(lambda: listener.heard and listener.heard[-1] == "99" and "overflow" in listener.gaps)
    assert 10 <= len(listener.heard) < 20


async def test_the_queue_is_gone_when_the_instance_stops(listen, vhost_management, vhost, eventually):
    listener = listen()
    await listener.queue.start()
    await listener.queue.bind(key(uuid4()))
    name = listener.queue._queue.name
    await listener.queue.stop()
    found = await vhost_management.call("GET", f"queues/{vhost.rsplit('/', 1)[1]}?columns=name")
    assert name not in [each["name"] for each in found]
