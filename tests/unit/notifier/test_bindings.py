"""Which workspaces an instance listens to."""

import asyncio
from uuid import uuid4

from blazz_notifier.bindings import Bindings, key_of


class Queue:
    def __init__(self) -> None:
        self.keys: set[str] = set()

    def bound(self, key: str) -> bool:
        return key in self.keys

    async def bind(self, key: str) -> None:
        self.keys.add(key)

    async def unbind(self, key: str) -> None:
        self.keys.discard(key)
        await asyncio.sleep(0)


async def test_a_workspace_is_bound_once_and_for_as_long_as_anybody_listens():
    queue, workspace = Queue(), uuid4()
    bindings = Bindings(queue, linger=0)
    assert not bindings.hold(workspace)
    await bindings.wait(workspace)
    assert bindings.hold(workspace)
    bindings.release(workspace)
    await bindings.sweep()
    assert queue.keys == {key_of(workspace)}
    bindings.release(workspace)
    await bindings.sweep()
    assert queue.keys == set()


async def test_a_workspace_that_was_left_is_kept_a_while_for_those_who_come_back():
    queue, workspace = Queue(), uuid4()
    bindings = Bindings(queue, linger=60)
    bindings.hold(workspace)
    await bindings.wait(workspace)
    bindings.release(workspace)
    await bindings.sweep()
    assert bindings.hold(workspace)


async def test_who_comes_while_it_is_unbound_waits_for_it_to_be_bound_again():
    queue, workspace = Queue(), uuid4()
    bindings = Bindings(queue, linger=0)
    bindings.hold(workspace)
    await bindings.wait(workspace)
    bindings.release(workspace)
    sweeping = asyncio.create_task(bindings.sweep())
    await asyncio.sleep(0)
    assert not bindings.hold(workspace)
    await bindings.wait(workspace)
    await sweeping
    assert queue.keys == {key_of(workspace)}
