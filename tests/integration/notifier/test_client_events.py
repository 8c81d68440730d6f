"""Client events, across instances."""

from uuid import uuid4

import pytest
from blazz_contracts.events import SocketTriggered


async def test_a_client_event_reaches_the_other_members_on_every_instance_and_not_its_sender(notifier):
    first, second = await notifier(), await notifier()
    channel = f"private-workspace.{uuid4()}"
    sender, near, far = await first.connect(), await first.connect(), await second.connect()
    for client in (sender, near, far):
        await client.subscribe(channel)
    await sender.send("client-typing", {"contact": 7}, channel)
    await far.send("client-answer", "a plain text", channel)
    for client in (near, far):
        assert await client.next("client-typing") == {"contact": 7}
    for client in (near, sender):
        assert await client.next("client-answer") == "a plain text"
    assert not sender.named("client-typing")
    assert not far.named("client-answer")


async def test_on_presence_channels_the_sender_is_named_by_the_server(notifier):
    instance = await notifier()
    channel = f"presence-workspace.{uuid4()}"
    sender, reader = await instance.connect(), await instance.connect()
    await sender.subscribe(channel, {"user_id": "42"})
    await reader.subscribe(channel, {"user_id": "43"})
    await sender.connection.send(
        f'{{"event":"client-typing","channel":"{channel}","data":{{}},"user_id":"somebody else"}}'
    )
    await reader.next("client-typing")
    assert next(frame for frame in reader.frames if frame["event"] == "client-typing")["user_id"] == "42"


async def test_only_members_may_send(notifier):
    instance = await notifier()
    channel = f"private-workspace.{uuid4()}"
    member, stranger = await instance.connect(), await instance.connect()
    await member.subscribe(channel)
    await stranger.send("client-typing", {}, channel)
    assert (await stranger.next("pusher:error"))["code"] == 4009
    await member.ping()
    assert not member.named("client-typing")


async def test_public_channels_take_no_client_events(notifier):
    client = await (await notifier()).connect()
    await client.subscribe("news")
    await client.send("client-shout", {}, "news")
    assert (await client.next("pusher:error"))["code"] == 4009


async def test_too_many_client_events_a_second_are_refused(notifier):
    instance = await notifier(notifier_client_event_rate=3)
    channel = f"private-workspace.{uuid4()}"
    sender, reader = await instance.connect(), await instance.connect()
    await sender.subscribe(channel)
    await reader.subscribe(channel)
    for number in range(20):
        await sender.send("client-typing", {"number": number}, channel)
    assert (await sender.next("pusher:error"))["code"] == 4301
    await sender.ping()
    await reader.next("client-typing", count=3)
    assert 3 <= len(reader.named("client-typing")) < 10


async def test_a_client_event_that_is_too_large_is_refused_and_the_socket_stays(notifier):
    client = await (await notifier(notifier_message_bytes=1000)).connect()
    channel = f"private-workspace.{uuid4()}"
    await client.subscribe(channel)
    await client.send("client-big", "x" * 1001, channel)
    assert "1000 bytes" in (await client.next("pusher:error"))["message"]
    await client.ping()


@pytest.mark.parametrize("claimed", ["own", "other"])
async def test_an_event_of_one_workspace_never_speaks_on_anothers_channel(notifier, publisher, claimed):
    client = await (await notifier()).connect()
    own, other = uuid4(), uuid4()
    await client.subscribe(f"private-workspace.{own}")
    await client.subscribe(f"private-workspace.{other}")
    workspace = own if claimed == "own" else other
    await publisher.publish(
        SocketTriggered(workspace_id=workspace, channels=[f"private-workspace.{own}"], event="spoof", data="{}")
    )
    await publisher.publish(
        SocketTriggered(workspace_id=workspace, channels=[f"private-workspace.{workspace}"], event="end", data="{}")
    )
    await client.next("end")
    assert len(client.named("spoof")) == (1 if claimed == "own" else 0)
