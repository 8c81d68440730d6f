"""What WhatsApp allows a number is kept exactly, whichever instance sends; nobody waits longer than they must."""

from datetime import UTC, datetime, timedelta

from blazz_contracts.events import ProviderMessage
from blazz_contracts.message import OriginKind

from tests.support.polling import until

from .conftest import Build, House, World


async def started(world: World) -> list[datetime]:
    return [
        r["started_at"]
        for r in await world.rows(
            "select started_at from attempts where workspace_id = $1 order by 1", world.workspace_id
        )
    ]


async def test_the_rate_is_exact_across_two_instances_and_order_is_kept(house: House, make_channel: Build) -> None:
    second = await house.instance()
    world = await make_channel({"messages_per_second": 20})
    bulk = [world.request(f"+3167{n % 10:07d}", f"{n // 10}", lane="campaign") for n in range(80)]
    await world.publisher.publish_many(bulk)

    async def all_sent() -> bool:
        return len(await world.ledger()) == len(bulk)

    await until(all_sent)
    times = await started(world)
    # A full bucket at the start, then 20 a second: in no stretch of time more than that.
    for n, first in enumerate(times):
        for m in range(n + 1, len(times)):
            assert m - n + 1 <= 20 + 20 * ((times[m] - first).total_seconds() + 0.05) + 1
    said: dict[str, list[int]] = {}
    for entry in await world.ledger():
        said.setdefault(entry["to"], []).append(int(entry["body"]["body"]))
    assert all(each == sorted(each) for each in said.values())
    second.stop()


async def test_the_slowest_channel_still_sends_campaigns(make_channel: Build) -> None:
    world = await make_channel({"messages_per_second": 1})
    message_id = await world.send("+31670000001", lane="campaign")
    await world.until_status(message_id, "sent", within=5)


async def test_one_person_gets_no_more_than_the_pair_limit(make_channel: Build) -> None:
    world = await make_channel({"pair_seconds": 1.0, "pair_burst": 3})
    ids = [await world.send("+31670000002", str(n)) for n in range(5)]
    other = await world.send("+31670000003")
    await world.until_status(other, "sent")
    await until(lambda: world.rows("select 1 from messages where id = $1 and waits_for = 'pair'", ids[3]))
    await world.until_status(ids[-1], "sent")
    first, *_, fourth, fifth = [t for t in await started(world) if t][:1] + (await started(world))[-2:]
    assert fourth - first > timedelta(seconds=0.7)
    assert fifth - fourth > timedelta(seconds=0.7)


async def test_the_daily_limit_counts_people_and_whoever_writes_is_answered_at_once(make_channel: Build) -> None:
    world = await make_channel({"recipients_per_day": 2})
    ids = [await world.send(f"+3167100000{n}", lane="campaign") for n in range(4)]
    for message_id in ids[:2]:
        await world.until_status(message_id, "sent")
    again = await world.send("+31671000000")
    await world.until_status(again, "sent")
    for message_id in ids[2:]:
        await until(lambda i=message_id: world.rows("select 1 from messages where id = $1 and waits_for = 'tier'", i))
    await world.publisher.publish(
        ProviderMessage(
            workspace_id=world.workspace_id,
            channel_id=world.channel_id,
            provider_message_id="wamid.tier",
            phone="31671000003",
            sent_at=datetime.now(UTC),
            type="text",
            content={"body": "hi"},
        )
    )
    await world.until_status(ids[3], "sent")
    assert (await world.message(ids[2]))["waits_for"] == "tier"


async def test_an_answer_does_not_wait_for_the_campaign_message_before_it(make_channel: Build) -> None:
    world = await make_channel({"messages_per_second": 5})
    bulk = [world.request(f"+3167200{n:04d}", lane="campaign") for n in range(100)]
    await world.publisher.publish_many(bulk)
    await until(lambda: world.rows("select 1 from messages where id = $1", bulk[-1].message_id))
    answer = await world.send("+31672000099", "for you")
    await world.until_status(answer, "sent", within=6)
    assert (await world.message(bulk[-1].message_id))["status"] == "sent"
    assert (await world.message(bulk[-2].message_id))["status"] == "pending"


async def test_a_campaign_does_not_reach_whoever_opted_out_in_any_form(world: World) -> None:
    created = (await world.api("POST", "/contacts", json={"phone": "+31670000004"})).json()
    await world.rows("update contacts set marketing_opt_out = true where id = $1::uuid returning 1", created["id"])
    origin = {"kind": OriginKind.CAMPAIGN}
    message_id = await world.send("+31670000004", "sale!", lane="campaign", origin=origin)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "opted_out"
    await world.until_status(await world.send("+31670000004", "about your order"), "sent")
