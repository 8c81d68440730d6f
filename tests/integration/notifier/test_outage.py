"""Broker or database away: sockets stay, and all is as before when they are back."""

from uuid import uuid4

import httpx
from blazz_contracts.events import SocketTriggered


async def test_with_the_broker_away_sockets_stay_and_new_subscriptions_are_completed_when_it_is_back(
    notifier, publisher, proxy, eventually
):
    instance = await notifier(amqp_url=proxy.url, notifier_bind_timeout=0.3)
    known, new = uuid4(), uuid4()
    client = await instance.connect()
    await client.subscribe(f"private-workspace.{known}")
    await client.subscribe(f"private-chat.{known}")
    await proxy.cut()
    await eventually(lambda: not instance.service.queue.connected)
    async with httpx.AsyncClient(base_url=instance.http_url) as http:
        assert (await http.get("/readyz")).status_code == 503
    await client.ping()
    await client.subscribe(f"private-workspace.{new}", wait=False)
    error = await client.next("pusher:subscription_error", channel=f"private-workspace.{new}")
    assert error["status"] == 503
    await client.ping()
    assert not client.named("pusher_internal:subscription_succeeded", f"private-workspace.{new}")
    await proxy.mend()
    # Clients are told that they may have missed something, on the channels whose events are also in the change feed.
    for channel in (f"private-workspace.{known}", f"private-chat.{known}"):
        assert (await client.next("blazz:resync", channel=channel))["reason"] == "reconnected"
    await client.next("pusher_internal:subscription_succeeded", channel=f"private-workspace.{new}")
    for workspace in (known, new):
        channel = f"private-workspace.{workspace}"
        await publisher.publish(SocketTriggered(workspace_id=workspace, channels=[channel], event="back", data="1"))
        await client.next("back", channel=channel)
    assert len(client.named("pusher:subscription_error")) == 1
    async with httpx.AsyncClient(base_url=instance.http_url) as http:
        while (await http.get("/readyz")).status_code != 200:
            pass


async def test_a_pending_subscription_can_be_taken_back(notifier, proxy, eventually):
    instance = await notifier(amqp_url=proxy.url, notifier_bind_timeout=0.1, notifier_linger=0)
    client, channel = await instance.connect(), f"presence-workspace.{uuid4()}"
    await proxy.cut()
    await eventually(lambda: not instance.service.queue.connected)
    await client.subscribe(channel, {"user_id": "1"}, wait=False)
    await client.next("pusher:subscription_error")
    await client.send("pusher:unsubscribe", {"channel": channel})
    await client.ping()
    await proxy.mend()
    await eventually(lambda: instance.service.queue.connected)
    await client.subscribe("news")
    assert not client.named("pusher_internal:subscription_succeeded", channel)
    assert list(instance.service.registry.sockets[client.socket_id].workspaces.values()) == [1]


async def test_a_client_event_that_cannot_be_relayed_is_told(notifier, proxy, eventually):
    instance = await notifier(amqp_url=proxy.url, publish_timeout=0.2)
    client, channel = await instance.connect(), f"private-workspace.{uuid4()}"
    await client.subscribe(channel)
    await proxy.cut()
    await eventually(lambda: not instance.service.queue.connected)
    await client.send("client-typing", {}, channel)
    assert "not relayed" in (await client.next("pusher:error"))["message"]


async def test_without_the_database_only_presence_waits(notifier, publisher):
    instance = await notifier(
        database_api_url="postgresql://nobody@127.0.0.1:1/none",
        database_worker_url="postgresql://nobody@127.0.0.1:1/none",
        notifier_bind_timeout=0.3,
    )
    workspace = uuid4()
    client = await instance.connect()
    await client.subscribe(f"private-workspace.{workspace}")
    await client.subscribe(f"presence-workspace.{workspace}", {"user_id": "1"}, wait=False)
    error = await client.next("pusher:subscription_error")
    assert error["status"] == 503
    await publisher.publish(
        SocketTriggered(workspace_id=workspace, channels=[f"private-workspace.{workspace}"], event="still", data="1")
    )
    await client.next("still")


async def test_after_a_long_time_without_the_broker_subscribed_sockets_are_asked_to_connect_again(
    notifier, proxy, eventually
):
    instance = await notifier(amqp_url=proxy.url, notifier_deaf_seconds=0.05)
    subscribed, public = await instance.connect(), await instance.connect()
    await subscribed.subscribe(f"private-workspace.{uuid4()}")
    await public.subscribe("news")
    await proxy.cut()
    await eventually(lambda: not instance.service.queue.connected)
    await proxy.mend()
    # The first attempt to connect again comes 0.1 s after the loss.
    assert await subscribed.closed() == 4200
    await public.ping()
