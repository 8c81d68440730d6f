"""A list becomes recipients: in the background, and nothing of it is dropped without a word."""

from typing import Any
from uuid import UUID

import pytest

from tests.integration.campaign.conftest import World, numbers
from tests.support.polling import until


async def test_a_number_named_twice_gets_one_message_and_the_first_row_counts(world: World) -> None:
    people: list[dict[str, Any]] = [
        {"phone": "+4917000000001", "variables": {"name": "First"}},
        {"phone": "4917000000001", "variables": {"name": "Second"}},
        {"phone": "+4917000000002", "variables": {"name": "Other"}},
    ]
    campaign = await world.create(people, text={"body": "Hello {{name}}"})
    done = await world.until_state(campaign["id"], "completed")

    assert (done["counts"]["sent"], done["duplicates"], done["invalid"]) == (2, 1, 0)
    assert sorted(each.content.body for each in world.chat.requests.values()) == ["Hello First", "Hello Other"]  # type: ignore[union-attr]


async def test_duplicates_are_found_across_pages(idle_world: World) -> None:
    world = idle_world
    await world.start(campaign_page=10)
    campaign = await world.create([*numbers(25), *numbers(25)], start=False)
    await world.until_counts(campaign["id"], queued=25)
    assert (await world.view(campaign["id"]))["duplicates"] == 25


async def test_rows_that_cannot_be_are_counted_with_their_reasons(world: World) -> None:
    csv = '\ufeffPhone;name\r\n+49 170 0000001;Ana\r\n0170 1234567;no country\r\n;nobody\r\n+4917000000002;"Bo;b"\r\n'
    campaign = await world.create(csv=csv, text={"body": "Hello {{name}}"})
    done = await world.until_state(campaign["id"], "completed")

    assert (done["counts"]["sent"], done["counts"]["total"], done["invalid"]) == (2, 2, 2)
    assert [each["row"] for each in done["invalid_rows"]] == [3, 4]
    assert "0170 1234567" in done["invalid_rows"][0]["reason"]
    assert sorted(each.content.body for each in world.chat.requests.values()) == ["Hello Ana", "Hello Bo;b"]  # type: ignore[union-attr]


async def test_reasons_are_kept_for_the_first_hundred_rows_only(world: World) -> None:
    csv = "phone\n" + "x\n" * 150 + "+4917000000001\n"
    campaign = await world.create(csv=csv)
    done = await world.until_state(campaign["id"], "completed")
    assert (done["invalid"], len(done["invalid_rows"])) == (150, 100)


async def test_a_list_that_names_nobody_fails_the_campaign_and_says_why(world: World) -> None:
    campaign = await world.create(csv="phone\nnobody\n")
    failed = await world.until_state(campaign["id"], "failed")
    assert "nobody" in failed["state_reason"]


async def test_a_csv_that_breaks_off_inside_a_quote_fails_the_campaign_and_nobody_is_written_to(world: World) -> None:
    csv = "phone,name\n" + "".join(f"+4917{n:08d},Ana\n" for n in range(1200)) + '+491,"' + "x" * 200_000
    campaign = await world.create(csv=csv)
    failed = await world.until_state(campaign["id"], "failed")
    assert "quote" in failed["state_reason"]
    assert await world.counted(campaign["id"]) == {"cancelled": 1000}
    assert world.chat.requests == {}


@pytest.mark.parametrize(("csv", "part"), [("name\nAna\n", "phone"), ("phone,a,A\n1,2,3\n", "a, A"), ("\n\n", "phone")])
async def test_a_csv_without_a_usable_header_is_refused_at_once(world: World, csv: str, part: str) -> None:
    answer = await world.api(
        "POST", "", json={"name": "x", "channel_id": str(world.channel_id), "csv": csv, "text": {"body": "x"}}
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_csv"
    assert part in answer.json()["detail"]
    assert await world.rows("select 1 from campaigns") == []


async def test_a_list_of_more_numbers_than_a_campaign_may_have_fails_as_a_whole(idle_world: World) -> None:
    world = idle_world
    await world.start(campaign_page=20, campaign_recipients=50)
    csv = "phone\n" + "\n".join(f"4915{n:08d}" for n in range(51))
    campaign = await world.create(csv=csv, start=False)
    failed = await world.until_state(campaign["id"], "failed")
    assert "more than 50 numbers" in failed["state_reason"]
    assert await world.counted(campaign["id"]) == {"cancelled": 40}


async def test_a_job_that_was_given_up_fails_its_campaign(idle_world: World) -> None:
    world = idle_world
    service = await world.start()
    campaign = await world.create(3, start=False)
    await world.until_counts(campaign["id"], queued=3)
    await world.stop(service)
    # As five processes that died on it leave it.
    await world.execute("update campaigns set frozen_at = null, state = 'freezing'")
    await world.execute("update jobs set state = 'failed'")
    await world.start()
    failed = await world.until_state(campaign["id"], "failed")
    assert "again and again" in failed["state_reason"]
    assert await world.counted(campaign["id"]) == {"cancelled": 3}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a\0b"}, "name"),
        ({"text": {"body": "a\0b"}}, "text"),
        ({"recipients": [{"phone": "abc"}]}, "recipients.0.phone"),
        ({"recipients": []}, "recipients"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_bad_input_is_refused_by_field_and_nothing_is_stored(
    world: World, change: dict[str, Any], field: str
) -> None:
    body = {"name": "x", "channel_id": str(world.channel_id), "recipients": numbers(1), "text": {"body": "x"}}
    answer = await world.api("POST", "", json=body | change)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert await world.rows("select 1 from campaigns") == []


async def test_cancelled_while_freezing_nobody_is_written_to(idle_world: World) -> None:
    world = idle_world
    await world.start(campaign_page=1)
    await world.chat.listen()
    campaign = await world.create(400)
    assert (await world.api("POST", f"/{campaign['id']}/cancel")).json()["state"] == "cancelled"
    jobs = await world.rows("select id from jobs")
    await _job_ended(world, jobs[0]["id"])
    counted = await world.counted(campaign["id"])
    assert set(counted) <= {"cancelled"}
    assert world.chat.requests == {}
    assert await world.rows("select 1 from list_parts") == []


async def _job_ended(world: World, job_id: UUID) -> None:
    async def ended() -> bool:
        found = await world.rows("select state from jobs where id = $1", job_id)
        return bool(found[0]["state"] in ("done", "failed"))

    await until(ended)


async def test_paused_while_freezing_the_list_is_frozen_and_waits_for_resume(idle_world: World) -> None:
    world = idle_world
    await world.start(campaign_page=1)
    await world.chat.listen()
    campaign = await world.create(40)
    assert (await world.api("POST", f"/{campaign['id']}/pause")).json()["state"] == "paused"
    await world.until_counts(campaign["id"], queued=40)
    await _job_ended(world, (await world.rows("select id from jobs"))[0]["id"])
    assert world.chat.requests == {}

    assert (await world.api("POST", f"/{campaign['id']}/resume")).json()["state"] == "sending"
    await world.until_state(campaign["id"], "completed")
    assert len(world.chat.requests) == 40
