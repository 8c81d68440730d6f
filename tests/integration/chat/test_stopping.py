"""A stopped instance finishes what it holds: nothing is left of which nobody knows whether it was sent."""

import asyncpg

from tests.support.polling import until

from .conftest import Build


async def test_a_stop_in_the_middle_of_a_campaign_leaves_no_message_of_unknown_outcome(make_world: Build) -> None:
    # Few places: claims follow each other closely, so that the stop falls into one.
    world = await make_world(chat_in_flight=4)
    bulk = [world.request(f"+3169000{n:04d}", lane="campaign") for n in range(300)]
    await world.publisher.publish_many(bulk)

    async def some_sent() -> bool:
        return len(await world.ledger()) >= 50

    await until(some_sent)
    world.chat.stop()
    await world.house.stopped()
    connection = await asyncpg.connect(world.house.database.worker_url)
    try:
        states = {
            r["status"]: r["n"] for r in await connection.fetch("select status, count(*) n from messages group by 1")
        }
    finally:
        await connection.close()
    assert set(states) <= {"pending", "sent"}
    assert states["sent"] == len(await world.ledger())
    assert states.get("pending"), "the campaign was over before the stop: the test shows nothing"
