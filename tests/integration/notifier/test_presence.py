"""Presence, across instances."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest_asyncio


@pytest_asyncio.fixture(loop_scope="session")
async def table(database):
    connection = await asyncpg.connect(database.worker_url)
    yield connection
    await connection.close()


def member(user: str) -> dict[str, object]:
    return {"user_id": user, "user_info": {"name": f"Agent {user}"}}


async def test_who_subscribes_is_told_who_is_there_on_every_instance(notifier):
    first, second = await notifier(), await notifier()
    channel = f"presence-workspace.{uuid4()}"
    a, b, c = await first.connect(), await second.connect(), await first.connect()
    await a.subscribe(channel, member("1"))
    await b.subscribe(channel, member("2"))
    answer = await c.subscribe(channel, member("3"))
    assert answer["presence"]["count"] == 3
    assert sorted(answer["presence"]["ids"]) == ["1", "2", "3"]
    assert answer["presence"]["hash"]["2"] == {"name": "Agent 2"}


async def test_a_user_is_added_with_the_first_socket_and_removed_with_the_last(notifier):
    first, second = await notifier(), await notifier()
    channel = f"presence-workspace.{uuid4()}"
    watcher, far_watcher = await first.connect(), await second.connect()
    await watcher.subscribe(channel, member("watcher"))
    await far_watcher.subscribe(channel, member("far"))
    phone, desk = await first.connect(), await second.connect()
    await phone.subscribe(channel, member("7"))
    await desk.subscribe(channel, member("7"))
    for each in (watcher, far_watcher):
        # The one who came first was told of the other watcher before.
        assert (await each.next("pusher_internal:member_added", count=2 if each is watcher else 1))["user_id"] == "7"
    await phone.close()
    other = await second.connect()
    await other.subscribe(channel, member("8"))
    for each in (watcher, far_watcher):
        await each.next("pusher_internal:member_added", count=3 if each is watcher else 2)
        assert not each.named("pusher_internal:member_removed")
    await desk.send("pusher:unsubscribe", {"channel": channel})
    for each in (watcher, far_watcher):
        assert await each.next("pusher_internal:member_removed") == {"user_id": "7"}
        added = [data["user_id"] for data in each.named("pusher_internal:member_added")]
        assert added.count("7") == 1


async def test_numeric_user_ids_of_laravel_are_taken(notifier):
    instance = await notifier()
    channel = f"presence-workspace.{uuid4()}"
    client = await instance.connect()
    assert (await client.subscribe(channel, {"user_id": 5}))["presence"]["ids"] == ["5"]


async def test_many_come_and_go_at_once_and_everybody_agrees_in_the_end(notifier):
    first, second = await notifier(), await notifier()
    channel = f"presence-workspace.{uuid4()}"
    watchers = [await first.connect(), await second.connect()]
    for number, watcher in enumerate(watchers):
        await watcher.subscribe(channel, member(f"w{number}"))
    clients = [await (first, second)[number % 2].connect() for number in range(40)]
    await asyncio.gather(*(c.subscribe(channel, member(str(n // 4))) for n, c in enumerate(clients)))
    await asyncio.gather(*(c.close() for n, c in enumerate(clients) if n < 20))
    for number, watcher in enumerate(watchers):
        other = {f"w{1 - number}"} if number == 0 else set()
        await watcher.next("pusher_internal:member_removed", count=5)
        added = [data["user_id"] for data in watcher.named("pusher_internal:member_added")]
        removed = [data["user_id"] for data in watcher.named("pusher_internal:member_removed")]
        assert sorted(removed) == [str(n) for n in range(5)]
        assert sorted(added) == sorted({str(n) for n in range(10)} | other)


async def test_leaving_and_coming_back_at_once_ends_with_the_user_there(notifier, eventually):
    instance = await notifier()
    channel = f"presence-workspace.{uuid4()}"
    client, watcher = await instance.connect(), await instance.connect()
    await watcher.subscribe(channel, member("w"))
    for _ in range(10):
        await client.subscribe(channel, member("1"), wait=False)
        await client.send("pusher:unsubscribe", {"channel": channel})
    await client.subscribe(channel, member("1"), wait=False)
    await client.ping()
    await eventually(lambda: channel in instance.service.registry.sockets[client.socket_id].channels)
    late = await instance.connect()
    assert sorted((await late.subscribe(channel, member("late")))["presence"]["ids"]) == ["1", "late", "w"]


async def test_a_full_channel_takes_no_more_users_but_more_sockets_of_those_it_has(notifier):
    instance = await notifier(notifier_presence_members=2)
    channel = f"presence-workspace.{uuid4()}"
    a, b, c, d = [await instance.connect() for _ in range(4)]
    await a.subscribe(channel, member("1"))
    await b.subscribe(channel, member("2"))
    await c.subscribe(channel, member("3"), wait=False)
    assert (await c.next("pusher:subscription_error"))["type"] == "LimitReached"
    await d.subscribe(channel, member("2"))


async def test_members_of_an_instance_that_died_are_removed_when_its_lease_runs_out(notifier, table):
    instance = await notifier(notifier_presence_lease=0.6)
    workspace, dead = uuid4(), uuid4()
    channel = f"presence-workspace.{workspace}"
    await table.execute(
        "insert into notifier_instances values ($1, 'dead', now() + interval '2 seconds')",
        dead,
    )
    await table.execute(
        "insert into notifier_presence (channel, socket_id, workspace_id, instance_id, user_id, token)"
        " values ($1, '1.1', $2, $3, 'ghost', 1)",
        channel,
        workspace,
        dead,
    )
    client = await instance.connect()
    assert sorted((await client.subscribe(channel, member("1")))["presence"]["ids"]) == ["1", "ghost"]
    assert await client.next("pusher_internal:member_removed") == {"user_id": "ghost"}


async def test_an_instance_whose_lease_had_lapsed_puts_its_members_back(notifier, table):
    instance = await notifier(notifier_presence_lease=0.9)
    channel = f"presence-workspace.{uuid4()}"
    client = await instance.connect()
    await client.subscribe(channel, member("1"))
    # As another instance does when the lease has run out.
    await table.execute("delete from notifier_instances where name = $1", instance.service.settings.instance)
    await table.execute("delete from notifier_presence where channel = $1", channel)
    async with asyncio.timeout(10):
        while not await table.fetchval("select 1 from notifier_presence where channel = $1", channel):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_what_was_never_announced_is_found_by_the_comparison(notifier, table):
    instance = await notifier(notifier_presence_check=0.2, notifier_presence_lease=30)
    workspace, elsewhere = uuid4(), uuid4()
    channel = f"presence-workspace.{workspace}"
    client = await instance.connect()
    await client.subscribe(channel, member("1"))
    await table.execute("insert into notifier_instances values ($1, 'other', now() + interval '1 minute')", elsewhere)
    await table.execute(
        "insert into notifier_presence (channel, socket_id, workspace_id, instance_id, user_id, token)"
        " values ($1, '1.1', $2, $3, 'quiet', 1)",
        channel,
        workspace,
        elsewhere,
    )
    assert (await client.next("pusher_internal:member_added"))["user_id"] == "quiet"
    await table.execute("delete from notifier_presence where channel = $1 and user_id = 'quiet'", channel)
    assert await client.next("pusher_internal:member_removed") == {"user_id": "quiet"}


async def test_a_stopped_instance_leaves_no_member_behind(notifier, table):
    instance, other = await notifier(), await notifier()
    channel = f"presence-workspace.{uuid4()}"
    watcher, client = await other.connect(), await instance.connect()
    await watcher.subscribe(channel, member("w"))
    await client.subscribe(channel, member("1"))
    await watcher.next("pusher_internal:member_added")  # who comes and goes within a moment may not be told at all
    await instance.stop()
    assert await watcher.next("pusher_internal:member_removed") == {"user_id": "1"}
    assert await table.fetchval("select count(*) from notifier_presence where channel = $1", channel) == 1
