"""The counters are what counting would find, whatever comes in whatever order."""

import asyncio
import random
from itertools import groupby

from blazz_contracts.message import Failure, OriginKind

from tests.integration.campaign.conftest import World, numbers
from tests.support.polling import until

NO = Failure(code="undeliverable", title="WhatsApp cannot deliver to this number.", provider_code=131026)


async def requested(world: World, count: int = 3) -> str:
    """A campaign whose recipients were all handed over, with no outcome yet."""
    world.chat.script = lambda _: []
    campaign = await world.create(count)
    await world.until_counts(campaign["id"], requested=count)
    await until(lambda: len(world.chat.requests) == count)
    return str(campaign["id"])


async def test_outcomes_out_of_order_doubled_and_in_many_events_count_once(world: World) -> None:
    campaign_id, chance = await requested(world, 300), random.Random(7)
    steps = [(each, step) for each in world.chat.requests for step in ("sent", "delivered", "read", "read", "sent")]
    chance.shuffle(steps)
    for at in range(0, len(steps), 100):
        for step in ("read", "sent", "delivered"):
            await world.chat.tell([each for each, told in steps[at : at + 100] if told == step], step)
        await world.counted(campaign_id)
    await world.until_counts(campaign_id, read=300)
    assert (await world.view(campaign_id))["counts"]["read"] == 300


async def test_what_was_delivered_did_not_fail(world: World) -> None:
    campaign_id = await requested(world, 3)
    first, second, third = world.chat.requests
    await world.chat.tell([first, second], NO)
    await world.until_counts(campaign_id, failed=2)
    await world.chat.tell([first], "delivered")
    await world.chat.tell([third], "sent", "delivered", NO)
    await world.until_counts(campaign_id, failed=1, delivered=2)
    rows = await world.rows("select failure from recipients where message_id = $1", first)
    assert rows[0]["failure"] is None


async def test_unconfirmed_gives_way_to_later_evidence_and_ends_the_wait(world: World) -> None:
    campaign_id = await requested(world, 2)
    first, second = world.chat.requests
    await world.chat.tell([first], "unconfirmed")
    await world.chat.tell([second], "sent")
    done = await world.until_state(campaign_id, "completed")
    assert done["counts"]["unconfirmed"] == 1
    await world.chat.tell([first], "delivered")
    await world.until_counts(campaign_id, delivered=1, sent=1)


async def test_who_played_a_voice_message_is_shown_as_having_read_it(world: World) -> None:
    campaign_id = await requested(world, 1)
    await world.chat.tell(world.chat.requests, "sent", "delivered", "read", "played")
    await world.until_counts(campaign_id, played=1)
    counts = (await world.view(campaign_id))["counts"]
    assert (counts["read"], counts["total"]) == (1, 1)


async def test_the_reason_of_a_failure_is_shown_with_its_recipient(world: World) -> None:
    campaign_id = await requested(world, 2)
    first, second = world.chat.requests
    await world.chat.tell([first], NO)
    await world.chat.tell([second], "sent")
    await world.until_state(campaign_id, "completed")
    failed = (await world.api("GET", f"/{campaign_id}/recipients?state=failed")).json()["items"]
    assert [(each["message_id"], each["failure"]) for each in failed] == [(str(first), NO.model_dump())]


async def test_progress_is_told_at_each_change_of_state_at_most_once_a_second_and_with_the_last_counts(
    world: World,
) -> None:
    campaign_id = await requested(world, 100)
    for step in ("sent", "delivered", "read"):
        for message_id in list(world.chat.requests)[:50]:
            await world.chat.tell([message_id], step)
    await world.chat.tell(list(world.chat.requests)[50:], "sent")
    await until(lambda: any(each["counts"]["read"] == 50 for each in world.progress(campaign_id)))
    await until(lambda: any(each["counts"]["sent"] == 50 for each in world.progress(campaign_id)))

    told = world.progress(campaign_id)
    states = [state for state, _ in groupby(each["state"] for each in told)]
    assert states == ["freezing", "sending", "completed"]
    assert told[-1]["counts"] == (await world.view(campaign_id))["counts"]
    for each in told:
        counts = dict(each["counts"])
        assert counts.pop("total") == sum(counts.values())
    rows = await world.rows("select extract(epoch from now() - created_at) as age from campaigns")
    assert len(told) <= len(states) + float(rows[0]["age"]) + 1


async def test_two_instances_count_the_same_campaigns_without_a_deadlock(idle_world: World) -> None:
    world, chance = idle_world, random.Random(5)
    await world.start(campaign_outcome_items=20)
    await world.start(campaign_outcome_items=20)
    world.chat.script = lambda _: []
    await world.chat.listen()
    campaigns = [await world.create(numbers(100)) for _ in range(3)]
    for campaign in campaigns:
        await world.until_counts(campaign["id"], requested=100)
    await until(lambda: len(world.chat.requests) == 300)
    ids = list(world.chat.requests)

    async def tell() -> None:
        for _ in range(20):
            await world.chat.tell(chance.sample(ids, 30), chance.choice(["sent", "delivered", "read"]))

    await asyncio.gather(*(tell() for _ in range(5)))
    await world.chat.tell(ids, "played")
    for campaign in campaigns:
        await world.until_counts(campaign["id"], played=100)
        await world.until_state(campaign["id"], "completed")


async def test_an_outcome_that_is_no_campaigns_changes_nothing(world: World) -> None:
    campaign_id = await requested(world, 1)
    (message_id,) = world.chat.requests
    request = world.chat.requests[message_id]
    world.chat.requests[message_id] = request.model_copy(
        update={"origin": request.origin.model_copy(update={"kind": OriginKind.PERSON})}
    )
    await world.chat.tell([message_id], "sent")
    world.chat.requests[message_id] = request.model_copy(
        update={"origin": request.origin.model_copy(update={"id": message_id})}
    )
    await world.chat.tell([message_id], "sent")
    world.chat.requests[message_id] = request
    await world.chat.tell([message_id], "delivered")
    await world.until_counts(campaign_id, delivered=1)


async def test_while_somebody_holds_a_campaign_for_long_its_outcomes_wait_and_burn_no_try(world: World) -> None:
    campaign_id = await requested(world, 5)
    async with world.database.worker() as connection:
        await connection.execute("select 1 from campaigns for update")
        await world.chat.tell(world.chat.requests, "sent")
        await until(lambda: _refused_for_the_lock(world))
    await world.until_counts(campaign_id, sent=5)


async def _refused_for_the_lock(world: World) -> bool:
    service = next(iter(world.running))
    return "campaign.outcomes" in service.consumer.paused
