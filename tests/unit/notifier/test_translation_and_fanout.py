"""One event, one batch a channel, one write a socket."""

import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from blazz_contracts.events import ContactUpdated, MessageCreated
from blazz_notifier import frame
from blazz_notifier.channel_name import read
from blazz_notifier.fanout import Batch, Fanout
from blazz_notifier.registry import Registry
from blazz_notifier.socket import Socket
from blazz_notifier.translation import batches
from websockets.protocol import State


class Transport:
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def is_closing(self) -> bool:
        return False


def socket(number: int, state: State = State.OPEN) -> Any:
    made = SimpleNamespace(
        socket_id=f"{number}.{number}",
        channels={},
        workspaces={},
        transport=Transport(),
        protocol=SimpleNamespace(state=state),
    )
    made.write = lambda data: Socket.write(made, data)
    return made


def created(workspace: UUID, *socket_ids: str | None) -> MessageCreated:
    items = [
        {
            "message_id": uuid4(),
            "conversation_id": uuid4(),
            "contact_id": uuid4(),
            "channel_id": uuid4(),
            "type": "text",
            "content": {},
            "text": str(number),
            "origin": {"kind": "person"},
            "created_at": "2026-01-01T00:00:00Z",
            "socket_id": socket_id,
        }
        for number, socket_id in enumerate(socket_ids)
    ]
    return MessageCreated.model_validate({"workspace_id": workspace, "items": items})


def test_each_channel_gets_its_own_names_and_nobody_elses_channels_anything():
    registry, workspace, other = Registry(), uuid4(), uuid4()
    listener = socket(1)
    names = [
        f"private-workspace.{workspace}",
        f"presence-workspace.{workspace}",
        f"private-chat.{workspace}",
        f"presence-chat.{workspace}",
        f"private-workspace.{workspace}.room",
        f"private-workspace.{other}",
        "news",
    ]
    for name in names:
        registry.subscribe(listener, read(name))
    made = {batch.channel: batch for batch in batches(created(workspace, None), registry)}
    assert set(made) == set(names[:3])
    events = {name: json.loads(made[name].frames[0][4:] if len(made[name].frames[0]) > 129 else b"{}") for name in made}
    assert {name: each["event"] for name, each in events.items()} == {
        names[0]: "chat.new",
        names[1]: "chat.new",
        names[2]: "new.chat",
    }
    assert {
        batch.channel
        for batch in batches(ContactUpdated(workspace_id=workspace, contact_id=uuid4(), created=True), registry)
    } == set(names[:2])
    assert batches(created(uuid4(), None), registry) == []


async def test_many_frames_are_one_write_a_socket_and_the_same_bytes_for_all():
    registry, workspace = Registry(), uuid4()
    name = f"private-workspace.{workspace}"
    first, second, cause = socket(1), socket(2), socket(3)
    for each in (first, second, cause):
        registry.subscribe(each, read(name))
    (batch,) = batches(created(workspace, None, "3.3", None), registry)
    await Fanout(registry).send(batch)
    assert len(first.transport.writes) == len(second.transport.writes) == 1
    assert first.transport.writes[0] is second.transport.writes[0]
    assert first.transport.writes[0] == b"".join(batch.frames)
    assert cause.transport.writes == [batch.frames[0] + batch.frames[2]]


async def test_who_caused_all_of_it_gets_nothing_and_who_is_closing_neither():
    registry = Registry()
    cause, closing = socket(1), socket(2, State.CLOSING)
    for each in (cause, closing):
        registry.subscribe(each, read("private-a"))
    batch = Batch("private-a")
    batch.add(frame.PING, "1.1")
    await Fanout(registry).send(batch)
    assert cause.transport.writes == closing.transport.writes == []


async def test_a_large_fan_out_lets_others_have_their_turn_and_takes_those_who_left_in_its_stride():
    registry = Registry()
    sockets = [socket(number) for number in range(500)]
    for each in sockets:
        registry.subscribe(each, read("news"))
    ticks = iter(range(1_000_000))
    batch = Batch("news")
    batch.add(frame.PING)
    sending = Fanout(registry, clock=lambda: float(next(ticks))).send(batch)
    sending.send(None)  # its first turn is over
    assert 0 < sum(bool(each.transport.writes) for each in sockets) < 500
    gone = sockets[-1]
    registry.unsubscribe(gone, read("news"))
    gone.protocol.state = State.CLOSED
    await _finished(sending)
    assert sum(bool(each.transport.writes) for each in sockets) == 499


async def _finished(sending: Any) -> None:
    try:
        while True:
            sending.send(None)
    except StopIteration:
        pass


def test_a_registry_forgets_what_nobody_listens_to():
    registry, workspace = Registry(), uuid4()
    one = socket(1)
    name = read(f"private-workspace.{workspace}")
    assert registry.enter(one, workspace, limit=1)
    registry.subscribe(one, name)
    assert not registry.enter(socket(2), workspace, limit=1)
    registry.unsubscribe(one, name)
    registry.leave(one, workspace)
    assert registry.enter(socket(2), workspace, limit=1)
    assert list(registry.channels()) == []
    assert list(registry.channels_of(workspace)) == []
