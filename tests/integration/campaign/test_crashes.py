"""Killed at any point, campaign loses nobody, and nobody is asked for under two message ids."""

import asyncio
import random
import signal
import socket

import httpx
import pytest

from tests.integration.campaign.conftest import World, ended
from tests.support.polling import until


async def frozen(world: World, recipients: int, name: str = "Sale") -> str:
    """A campaign that any instance may begin to send, and no instance."""
    service = await world.start()
    campaign = await world.create(recipients, start=False, name=name)
    await world.until_counts(campaign["id"], queued=recipients)
    await world.stop(service)
    await world.execute("update campaigns set state = 'sending' where state = 'draft'")
    return str(campaign["id"])


@pytest.mark.parametrize(
    ("point", "asked_again"), [("campaign.claimed:2", 0), ("campaign.published:2", 50), ("campaign.marked:2", 0)]
)
async def test_killed_while_handing_over_the_next_instance_hands_over_the_same_ids(
    idle_world: World, point: str, asked_again: int
) -> None:
    world = idle_world
    world.chat.script = lambda _: []
    await world.chat.listen()
    campaign_id = await frozen(world, 200)

    killed = await world.process(BLAZZ_CRASH_POINT=point, BLAZZ_CAMPAIGN_BATCH="50")
    assert await ended(killed) == -signal.SIGKILL
    await world.start()
    await world.until_counts(campaign_id, requested=200)
    await until(lambda: len(world.chat.requests) == 200)

    assert len({each.to.phone for each in world.chat.requests.values()}) == 200
    assert sum(times - 1 for times in world.chat.asked.values()) == asked_again
    await world.chat.tell(world.chat.requests, "sent")
    await world.until_state(campaign_id, "completed")
    assert await world.counted(campaign_id) == {"sent": 200}


async def test_outcomes_of_what_a_killed_sender_published_count_before_anybody_publishes_it_again(
    idle_world: World,
) -> None:
    world = idle_world
    await world.chat.listen()
    campaign_id = await frozen(world, 100)

    killed = await world.process(BLAZZ_CRASH_POINT="campaign.published", BLAZZ_CAMPAIGN_BATCH="100")
    assert await ended(killed) == -signal.SIGKILL
    await until(lambda: len(world.chat.requests) == 100)
    # Not marked yet; some outcomes may have been counted before the kill.
    assert set(await world.counted(campaign_id)) <= {"queued", "sent"}
    await world.start()
    await world.until_state(campaign_id, "completed")
    assert await world.counted(campaign_id) == {"sent": 100}


async def test_killed_between_two_pages_freezing_goes_on_where_it_stood(idle_world: World) -> None:
    world = idle_world
    killed = await world.process(
        BLAZZ_CRASH_POINT="campaign.frozen_page:3", BLAZZ_CAMPAIGN_PAGE="300", BLAZZ_HTTP_PORT=str(free_port(world))
    )
    await answering(world)
    campaign = await world.create(1500, start=False)
    assert await ended(killed) == -signal.SIGKILL
    assert await world.counted(campaign["id"]) == {"queued": 900}

    await world.execute("update jobs set lease_until = now()")  # instead of waiting until it has run out
    await world.start()
    await world.until_counts(campaign["id"], queued=1500)
    done = await world.view(campaign["id"])
    assert (done["state"], done["duplicates"], done["invalid"]) == ("draft", 0, 0)
    assert await world.rows("select 1 from list_parts") == []


async def test_killed_after_counting_an_outcome_that_comes_again_counts_once(idle_world: World) -> None:
    world = idle_world
    world.chat.script = lambda _: ["sent", "delivered"]
    await world.chat.listen()
    campaign_id = await frozen(world, 200)

    # At the first commit: whether there is a second one depends on how many outcomes one batch found.
    killed = await world.process(BLAZZ_CRASH_POINT="outcomes.committed")
    assert await ended(killed) == -signal.SIGKILL
    await world.start()
    await world.until_counts(campaign_id, delivered=200)
    await world.until_state(campaign_id, "completed")


@pytest.mark.timeout(180)
async def test_killed_again_and_again_at_random_everybody_is_counted_once(idle_world: World) -> None:
    world, chance = idle_world, random.Random(20261122)
    world.chat.script = lambda request: ["sent", "delivered", "read"][: 1 + int(request.to.phone or 0) % 3]
    await world.chat.listen()
    campaigns = [await frozen(world, 300, f"Campaign {n}") for n in range(2)]

    for _ in range(3):
        seen = len(world.chat.requests)
        process = await world.process(BLAZZ_CAMPAIGN_BATCH="20", BLAZZ_CAMPAIGN_WINDOW="60")
        await until(lambda seen=seen: len(world.chat.requests) > seen + 20 or len(world.chat.requests) == 600)
        await asyncio.sleep(chance.uniform(0, 0.1))  # the moment is the chance, nothing is waited for
        process.kill()
        await process.wait()
        for campaign_id in campaigns:
            await world.counted(campaign_id)  # the counters are exact at every moment
    await world.start()
    for campaign_id in campaigns:
        await world.until_counts(campaign_id, sent=100, delivered=100, read=100, within=60)
        await world.until_state(campaign_id, "completed")
    assert len(world.chat.requests) == 600


def free_port(world: World) -> int:
    """A port for a process; calls go there."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        world.port = found.getsockname()[1]
    return world.port


async def answering(world: World) -> None:
    """Wait until the process takes requests."""

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get(f"http://127.0.0.1:{world.port}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    await until(ready, 60)
