"""Pause, resume, cancel, start: they take hold within a batch, and doing them twice is doing them once."""

import uuid
from typing import Any, cast

import pytest
from blazz_campaign.channels import Channels
from blazz_campaign.state import STOPPERS
from blazz_campaign.tending import Tending
from blazz_chassis.outbox import Outbox
from blazz_contracts.message import Failure

from tests.integration.campaign.conftest import SHORT_LEASE, World
from tests.support.polling import until

TEMPLATE = {"name": "offer", "language": "en_US", "components": []}


async def act(world: World, campaign: dict[str, Any], action: str) -> dict[str, Any]:
    """Do it, twice."""
    for _ in range(2):
        answer = await world.api("POST", f"/{campaign['id']}/{action}")
        assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def slowly(world: World, recipients: int = 300) -> dict[str, Any]:
    """A campaign that waits for the first hundred to be accepted."""
    world.chat.script = lambda _: []
    await world.start(campaign_window=100, campaign_batch=50, **SHORT_LEASE)
    await world.chat.listen()
    campaign = await world.create(recipients)
    await world.until_counts(campaign["id"], requested=100)
    await until(lambda: len(world.chat.requests) == 100)
    return campaign


async def test_paused_it_hands_over_nothing_and_resumed_it_goes_on(idle_world: World) -> None:
    world = idle_world
    campaign = await slowly(world)
    assert (await act(world, campaign, "pause"))["state"] == "paused"
    world.chat.script = lambda _: ["sent"]
    await world.chat.tell(world.chat.requests, "sent")
    await world.until_counts(campaign["id"], sent=100, queued=200)
    lease = await world.rows("select lease_token from campaigns")
    assert lease[0]["lease_token"] is None
    assert len(world.chat.requests) == 100

    assert (await act(world, campaign, "resume"))["state"] == "sending"
    await world.until_state(campaign["id"], "completed")
    assert set(world.chat.asked.values()) == {1}


async def test_cancelled_who_is_queued_gets_nothing_and_what_is_out_still_counts(idle_world: World) -> None:
    world = idle_world
    campaign = await slowly(world)
    cancelled = await act(world, campaign, "cancel")
    assert (cancelled["state"], cancelled["counts"]["cancelled"]) == ("cancelled", 200)
    await world.chat.tell(world.chat.requests, "sent", "read")
    await world.until_counts(campaign["id"], read=100, cancelled=200)
    assert len(world.chat.requests) == 100
    assert (await world.view(campaign["id"]))["state"] == "cancelled"


async def test_cancelled_while_its_sender_is_dead_what_was_in_flight_is_cancelled_unless_it_was_out(
    idle_world: World,
) -> None:
    world = idle_world
    campaign = await slowly(world)
    await act(world, campaign, "pause")
    # As a sender leaves it that died while it published the next fifty.
    await world.execute("update campaigns set flight_to = cursor + 50, lease_token = $1", uuid.uuid4())
    assert (await act(world, campaign, "cancel"))["counts"]["cancelled"] == 200
    in_flight = (await world.rows("select message_id from recipients where state = 'cancelled' order by position"))[0]
    message_id = in_flight["message_id"]
    world.chat.requests[message_id] = next(iter(world.chat.requests.values())).model_copy(
        update={"message_id": message_id}
    )
    await world.chat.tell([message_id], "sent")
    await world.until_counts(campaign["id"], sent=1, cancelled=199, requested=100)


async def test_cancelled_while_a_sender_lives_its_flight_is_settled_when_it_dies(idle_world: World) -> None:
    world = idle_world
    campaign = await slowly(world)
    await act(world, campaign, "pause")
    await world.execute(
        "update campaigns set flight_to = cursor + 50, lease_token = $1, lease_until = now() + interval '2 seconds'",
        uuid.uuid4(),
    )
    assert (await act(world, campaign, "cancel"))["counts"]["cancelled"] == 150
    await world.until_counts(campaign["id"], cancelled=200, requested=100)


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("draft", {"start", "cancel"}),
        ("sending", {"start", "pause", "resume", "cancel"}),
        ("paused", {"pause", "resume", "cancel"}),
        ("completed", set()),
        ("cancelled", {"cancel"}),
        ("failed", set()),
    ],
)
async def test_what_makes_no_sense_is_refused_with_the_reason(world: World, state: str, allowed: set[str]) -> None:
    campaign = await world.create(1, start=False)
    await world.until_counts(campaign["id"], queued=1)
    for action in ("start", "pause", "resume", "cancel"):
        # The lease of another keeps this instance from sending it.
        await world.execute(
            "update campaigns set state = $1, lease_until = now() + interval '1 minute', lease_token = $2",
            state,
            uuid.uuid4(),
        )
        answer = await world.api("POST", f"/{campaign['id']}/{action}")
        assert answer.status_code == (200 if action in allowed else 409), (action, answer.text)
        if action not in allowed:
            assert answer.json()["code"] == f"campaign_{state}"
        if action == "cancel":
            break


@pytest.mark.parametrize(
    "code", ["template_unavailable", "template_unknown_here", "template_language_unknown", "number_changed"]
)
async def test_what_would_meet_everybody_pauses_the_campaign_before_it_burns_the_list(
    idle_world: World, code: str
) -> None:
    world = idle_world
    gone = Failure(code=code, title="It cannot leave.")
    world.chat.script = lambda _: [gone]
    await world.start(campaign_window=20, campaign_batch=10)
    await world.chat.listen()
    campaign = await world.create(300, template=TEMPLATE)
    paused = await world.until_state(campaign["id"], "paused")
    assert paused["state_reason"] == STOPPERS[code]
    counted = await world.counted(campaign["id"])
    assert counted["queued"] >= 270

    world.chat.script = lambda _: ["sent"]
    await until(lambda: _all_told(world, campaign["id"]))
    await act(world, campaign, "resume")
    done = await world.until_state(campaign["id"], "completed")
    assert done["counts"]["failed"] <= 30


async def _all_told(world: World, campaign_id: str) -> bool:
    return (await world.counted(campaign_id)).get("requested", 0) == 0


async def test_a_channel_that_stops_pauses_the_campaign_with_chats_reason(idle_world: World) -> None:
    world = idle_world
    world.chat.script = lambda _: []
    await world.start(campaign_window=20, campaign_batch=10, campaign_stall=0.5)
    await world.chat.listen()
    campaign = await world.create(100)
    await world.until_counts(campaign["id"], requested=20)
    world.chat.channel(world.channel_id, "stopped", "The access token has expired.")
    paused = await world.until_state(campaign["id"], "paused")
    assert "The access token has expired" in paused["state_reason"]

    refused = await world.api("POST", f"/{campaign['id']}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "channel_stopped")
    world.chat.channel(world.channel_id)
    world.chat.script = lambda _: ["sent"]
    await act(world, campaign, "resume")
    await world.chat.tell(world.chat.requests, "sent")
    await world.until_state(campaign["id"], "completed")


async def test_each_campaign_that_stands_still_has_its_channel_asked_for_in_its_turn(world: World) -> None:
    made = [(await world.create(1, start=False))["id"] for _ in range(25)]
    for each in made:
        await world.until_counts(each, queued=1)
    ids = [uuid.UUID(each) for each in made]
    await world.execute(
        "update campaigns set state = 'sending', n_queued = 0, n_requested = 1, "
        "moved_at = now() - make_interval(secs => 3600 + n) "
        "from unnest($1::uuid[], $2::int[]) each (id, n) where campaigns.id = each.id",
        ids,
        list(range(25, 0, -1)),
    )
    asked: list[uuid.UUID] = []

    class Asked:
        async def find(self, _context: Any, channel_id: uuid.UUID) -> None:
            asked.append(channel_id)

    tending = Tending(world.database, cast("Outbox", None), cast("Channels", Asked()), stall=30)
    await tending.pause_stopped()
    assert len(asked) == 20
    await tending.pause_stopped()
    assert len(asked) == 25
    await tending.pause_stopped()
    assert len(asked) == 45


async def test_a_channel_that_is_not_there_is_refused_and_one_that_cannot_be_asked_for_is_not(world: World) -> None:
    body = {"name": "x", "recipients": [{"phone": "+4917012345678"}], "text": {"body": "x"}}
    answer = await world.api("POST", "", json=body | {"channel_id": str(uuid.uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (404, "channel_not_found")
    assert answer.json()["errors"][0]["field"] == "channel_id"

    await world.start(chat_url="http://127.0.0.1:9")
    answer = await world.api("POST", "", json=body | {"channel_id": str(uuid.uuid4())})
    assert answer.status_code == 202


async def test_another_workspace_sees_and_touches_nothing(world: World) -> None:
    campaign = await world.create(2, start=False)
    stranger = uuid.uuid4()
    for method, path in [
        ("GET", ""),
        ("GET", "/recipients"),
        ("POST", "/start"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/cancel"),
    ]:
        answer = await world.api(method, f"/{campaign['id']}{path}", workspace_id=stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "campaign_not_found"), path
    listed = await world.api("GET", "", workspace_id=stranger)
    assert listed.json()["items"] == []
    async with world.database.api(stranger) as connection:
        for table in ("campaigns", "recipients", "list_parts", "jobs"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0


async def test_campaigns_and_recipients_are_read_a_page_at_a_time(world: World) -> None:
    made = [await world.create(5, start=False, name=f"Campaign {n}") for n in range(3)]
    for each in made:
        await world.until_counts(each["id"], queued=5)
    first = (await world.api("GET", "?limit=2")).json()
    second = (await world.api("GET", f"?limit=2&cursor={first['next']}")).json()
    assert [each["name"] for each in first["items"] + second["items"]] == ["Campaign 2", "Campaign 1", "Campaign 0"]
    assert second["next"] is None

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (
            await world.api("GET", f"/{made[0]['id']}/recipients?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        ).json()
        seen += [each["phone"] for each in page["items"]]
        cursor = page["next"]
    assert seen == [f"+4915{n:08d}" for n in range(5)]
    bad = await world.api("GET", f"/{made[0]['id']}/recipients?cursor=x")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "cursor")


async def test_what_people_do_is_in_the_audit_log(world: World) -> None:
    campaign = await world.create(1, start=False)
    await world.api("POST", f"/{campaign['id']}/cancel")
    await until(lambda: len([1 for name, _ in world.heard if name == "audit.recorded"]) == 2)
    told = [body for name, body in world.heard if name == "audit.recorded"]
    assert [each["action"] for each in told] == ["campaign.created", "campaign.cancelled"]
    assert {(each["target_id"], each["actor_id"]) for each in told} == {(campaign["id"], str(uuid.UUID(int=7)))}
