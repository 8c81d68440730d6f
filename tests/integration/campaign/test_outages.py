"""While the broker or the database is away, campaign waits; when it is back, nothing is missing and nothing doubled."""

import asyncio

import asyncpg
from blazz_contracts.message import Lane
from blazz_contracts.topology.queues import CHAT_SEND
from pydantic import SecretStr

from tests.integration.campaign.conftest import World
from tests.support.polling import until
from tests.support.proxy import Proxy


async def test_without_a_queue_of_chats_the_list_waits_and_nobody_is_lost(idle_world: World) -> None:
    world = idle_world
    channel = await world.chat.plain_channel()
    await channel.queue_delete(CHAT_SEND[Lane.CAMPAIGN].name)
    await world.start()
    campaign = await world.create(120)
    await world.until_counts(campaign["id"], queued=120)
    await until(lambda: _in_flight(world))
    assert (await world.view(campaign["id"]))["state"] == "sending"

    await world.chat.publisher.redeclare()
    await world.chat.listen()
    await world.until_state(campaign["id"], "completed")
    assert await world.counted(campaign["id"]) == {"sent": 120}
    assert len(world.chat.requests) == 120


async def test_with_the_broker_cut_off_in_the_middle_everybody_is_still_counted_once(
    idle_world: World, cut: Proxy
) -> None:
    world = idle_world
    world.chat.script = lambda _: ["sent", "delivered"]
    await world.chat.listen()
    await world.start(amqp_url=SecretStr(cut.url), campaign_batch=20, campaign_window=60)
    campaign = await world.create(600)
    for _ in range(3):
        seen = len(world.chat.requests)
        await until(lambda seen=seen: len(world.chat.requests) > seen + 40 or len(world.chat.requests) == 600)
        await cut.cut()
        await world.counted(campaign["id"])
        await asyncio.sleep(0.3)  # an outage lasts; nothing is waited for
        await cut.mend()
    await world.until_counts(campaign["id"], delivered=600, within=40)
    await world.until_state(campaign["id"], "completed")
    assert len(world.chat.requests) == 600


async def test_with_the_databases_connections_cut_in_the_middle_everybody_is_still_counted_once(
    idle_world: World, postgres_url: str
) -> None:
    world = idle_world
    world.chat.script = lambda _: ["sent", "delivered"]
    await world.chat.listen()
    await world.start(campaign_batch=20, campaign_window=60)
    campaign = await world.create(600)
    admin = await asyncpg.connect(postgres_url)
    for _ in range(5):
        seen = len(world.chat.requests)
        await until(lambda seen=seen: len(world.chat.requests) > seen + 40 or len(world.chat.requests) == 600)
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = $1 and application_name = 'campaign'",
            world.made.name,
        )
    await admin.close()
    await world.until_counts(campaign["id"], delivered=600, within=40)
    await world.until_state(campaign["id"], "completed")
    assert len(world.chat.requests) == 600


async def _in_flight(world: World) -> bool:
    return bool((await world.rows("select flight_to from campaigns"))[0]["flight_to"])
