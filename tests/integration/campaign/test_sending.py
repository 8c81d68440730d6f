"""A list goes in, and everybody on it gets one message."""

from typing import Any
from uuid import UUID

from tests.integration.campaign.conftest import World, numbers
from tests.support.polling import until


async def test_everybody_on_the_list_is_requested_once_and_the_campaign_completes(world: World) -> None:
    campaign = await world.create(450, text={"body": "Hello {{name}}"})
    done = await world.until_state(campaign["id"], "completed")

    assert done["counts"]["total"] == done["counts"]["sent"] == 450
    assert sorted(each.to.phone or "" for each in world.chat.requests.values()) == [
        each["phone"][1:] for each in numbers(450)
    ]
    assert set(world.chat.asked.values()) == {1}
    one = next(each for each in world.chat.requests.values() if each.to.phone == "491500000007")
    assert one.content.body == "Hello Person 7"  # type: ignore[union-attr]
    assert (one.workspace_id, one.channel_id) == (world.workspace_id, world.channel_id)
    assert (one.lane, one.origin.kind, one.origin.id) == ("campaign", "campaign", UUID(campaign["id"]))


async def test_a_template_carries_each_recipients_own_values(world: World) -> None:
    template = {
        "name": "offer",
        "language": "en_US",
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{ name }}"}]}],
    }
    campaign = await world.create(2, template=template)
    await world.until_state(campaign["id"], "completed")

    assert {each.content.components[0]["parameters"][0]["text"] for each in world.chat.requests.values()} == {  # type: ignore[union-attr]
        "Person 0",
        "Person 1",
    }


async def test_a_missing_value_fails_that_recipient_alone_and_says_so(world: World) -> None:
    people: list[dict[str, Any]] = [*numbers(2), {"phone": "+4917012345678"}]
    campaign = await world.create(people, text={"body": "Hello {{name}}"})
    done = await world.until_state(campaign["id"], "completed")

    assert (done["counts"]["sent"], done["counts"]["failed"]) == (2, 1)
    failed = (await world.api("GET", f"/{campaign['id']}/recipients?state=failed")).json()["items"]
    assert [each["phone"] for each in failed] == ["+4917012345678"]
    assert failed[0]["failure"]["code"] == "missing_variable"
    assert "name" in failed[0]["failure"]["title"]


async def test_at_most_a_window_is_handed_over_and_not_yet_accepted(idle_world: World) -> None:
    world = idle_world
    world.chat.script = lambda _: []
    await world.start(campaign_window=100, campaign_batch=40)
    await world.chat.listen()
    campaign = await world.create(300)
    await world.until_counts(campaign["id"], requested=100, queued=200)
    await until(lambda: len(world.chat.requests) == 100)
    first = list(world.chat.requests)

    # Room for half a batch is worth a turn; less is not.
    await world.chat.tell(first[:19], "sent")
    await world.until_counts(campaign["id"], sent=19, requested=81, queued=200)
    await world.chat.tell([first[19]], "sent")
    await world.until_counts(campaign["id"], sent=20, requested=100, queued=180)
    world.chat.script = lambda _: ["sent"]
    await world.chat.tell(world.chat.requests, "sent")
    await world.until_state(campaign["id"], "completed")
    assert set(world.chat.asked.values()) == {1}


async def test_a_draft_waits_for_start_and_then_goes(world: World) -> None:
    campaign = await world.create(3, start=False)
    await world.until_counts(campaign["id"], queued=3)
    assert (await world.view(campaign["id"]))["state"] == "draft"

    assert (await world.api("POST", f"/{campaign['id']}/start")).status_code == 200
    await world.until_state(campaign["id"], "completed")
    assert len(world.chat.requests) == 3


async def test_two_instances_share_campaigns_and_write_to_nobody_twice(idle_world: World) -> None:
    world = idle_world
    await world.start()
    await world.start()
    await world.chat.listen()
    campaigns = [await world.create(300) for _ in range(4)]
    for campaign in campaigns:
        await world.until_state(campaign["id"], "completed")
    assert len(world.chat.requests) == 1200
    assert set(world.chat.asked.values()) == {1}


async def test_a_stop_in_the_middle_leaves_nothing_in_flight_and_the_next_instance_goes_on(idle_world: World) -> None:
    world = idle_world
    world.chat.script = lambda _: []
    service = await world.start(campaign_window=100, campaign_batch=20)
    await world.chat.listen()
    campaign = await world.create(400)
    await until(lambda: len(world.chat.requests) >= 40)
    await world.stop(service)

    row = (await world.rows("select flight_to, lease_token from campaigns"))[0]
    assert (row["flight_to"], row["lease_token"]) == (None, None)
    world.chat.script = lambda _: ["sent"]
    await world.chat.tell(world.chat.requests, "sent")
    await world.start()
    await world.until_state(campaign["id"], "completed")
    assert set(world.chat.asked.values()) == {1}
    assert len(world.chat.requests) == 400
