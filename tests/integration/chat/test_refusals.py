"""What WhatsApp refuses is tried again, or fails with a reason, or stops the number; and nothing is sent twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from blazz_chassis.seal import Sealer

from tests.support.polling import until
from tests.support.proxy import Proxy

from .conftest import Build, World


async def test_a_passing_refusal_is_tried_again_as_a_new_attempt(world: World) -> None:
    await world.faults(kind="error", codes=[131000], count=2, to="31620000001")
    message_id = await world.send("+31620000001")
    message = await world.until_status(message_id, "sent")
    assert [a["outcome"] for a in message["attempts"]] == ["failed", "failed", "sent"]
    assert len(await world.sent_of(message_id)) == 1


async def test_a_refusal_that_does_not_pass_fails_after_four_tries(world: World) -> None:
    await world.faults(kind="error", codes=[131000], to="31620000002")
    message_id = await world.send("+31620000002")
    message = await world.until_status(message_id, "failed")
    assert len(message["attempts"]) == 4
    assert message["failure"]["provider_code"] == 131000
    assert await world.sent_of(message_id) == []
    await until(lambda: len(world.told("message.failed", message_id)) == 1)


async def test_a_refused_recipient_fails_at_once_with_a_sentence_for_people(world: World) -> None:
    await world.faults(kind="error", codes=[131026], to="31620000003")
    message_id = await world.send("+31620000003")
    message = await world.until_status(message_id, "failed")
    assert message["failure"]["code"] == "undeliverable"
    assert len(message["attempts"]) == 1


async def test_an_expired_token_stops_the_number_and_starting_it_again_sends_what_waits(world: World) -> None:
    await world.faults(kind="error", codes=[190], count=1, phone_number_id=world.phone_number_id)
    message_id = await world.send("+31620000004")

    async def stopped() -> bool:
        return (await world.api("GET", f"/channels/{world.channel_id}")).json()["state"] == "stopped"

    await until(stopped)
    assert (await world.until_status(message_id, "pending"))["waits_for"] == "channel_stopped"
    answer = await world.api("PATCH", f"/channels/{world.channel_id}", json={"state": "active"})
    assert answer.status_code == 200
    await world.until_status(message_id, "sent")
    assert len(await world.sent_of(message_id)) == 1


@pytest.mark.parametrize("token", ["two\nlines", "naïve"])
async def test_a_token_that_no_header_can_carry_stops_the_number_and_says_why(world: World, token: str) -> None:
    # Connected before the API refused such a one.
    sealed = Sealer(world.house.settings.seal_key).seal(orjson.dumps({"access_token": token}))
    await world.rows("update channels set sealed_credentials = $2 where id = $1 returning 1", world.channel_id, sealed)
    message_id = await world.send("+31620000011")

    async def stopped() -> Any:
        channel = (await world.api("GET", f"/channels/{world.channel_id}")).json()
        return channel["state_reason"] if channel["state"] == "stopped" else None

    assert "access token" in await until(stopped)
    assert (await world.until_status(message_id, "pending"))["waits_for"] == "channel_stopped"
    answer = await world.api(
        "PATCH",
        f"/channels/{world.channel_id}",
        json={"access_token": "token\n", "app_secret": "s", "verify_token": "v", "state": "active"},
    )
    assert answer.status_code == 200, answer.text
    await world.until_status(message_id, "sent")


async def test_a_secret_that_no_header_can_carry_is_refused_when_it_is_entered(world: World) -> None:
    for secret in ("access_token", "app_secret", "verify_token"):
        answer = await world.api("PATCH", f"/channels/{world.channel_id}", json={secret: "two\nlines"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, secret)
        assert "two" not in answer.text


async def test_a_number_that_whatsapp_stops_is_told_of(world: World) -> None:
    before = (await until(lambda: world.told("channel.updated")))[-1]
    assert before["state"] == "active"
    await world.faults(kind="error", codes=[190], count=1, phone_number_id=world.phone_number_id)
    await world.send("+31620000012")
    (after,) = await until(lambda: [each for each in world.told("channel.updated") if each["state"] == "stopped"])
    assert after["revision"] > before["revision"]
    assert "access token" in after["state_reason"]
    # The gateway verifies webhooks by the latest: nothing of it is missing.
    sealer = Sealer(world.house.settings.seal_key)
    assert orjson.loads(sealer.open(after["sealed_webhook_secrets"])) == {"app_secret": "s", "verify_token": "v"}
    (entry,) = await until(
        lambda: [each for each in world.told("audit.recorded") if each["action"] == "channel.stopped"]
    )
    assert (entry["actor_kind"], entry["target_id"]) == ("provider", str(world.channel_id))
    assert entry["data"]["reason"] == after["state_reason"]


async def test_a_retry_holds_back_later_messages_of_its_conversation_for_a_while_only(make_world: Build) -> None:
    world = await make_world(chat_retry_waits=(3.0, 3.0, 3.0), chat_hold_back=1.0)
    await world.faults(kind="error", codes=[131000], count=1, to="31620000005")
    first = await world.send("+31620000005", "first")
    await until(lambda: world.rows("select 1 from messages where id = $1 and waits_for = 'retry'", first))
    second = await world.send("+31620000005", "second")
    await world.until_status(second, "sent", within=10)
    assert (await world.message(first))["status"] == "pending"
    waited = await world.rows(
        "select started_at - $2 as waited from attempts where message_id = $1", second, datetime.now(UTC)
    )
    assert waited
    await world.until_status(first, "sent", within=10)


async def test_an_unreachable_provider_burns_no_try(make_world: Build, simulator_url: str) -> None:
    way = Proxy(simulator_url)
    await way.mend()
    world = await make_world(chat_graph_url=way.url)
    await way.cut()
    message_id = await world.send("+31620000009")
    await until(lambda: world.rows("select 1 from messages where id = $1", message_id))
    # Reached for several times by now, and none of it counts.
    before = datetime.now(UTC)
    await until(lambda: datetime.now(UTC) - before > timedelta(seconds=1))
    message = await world.until_status(message_id, "pending")
    assert message["attempts"] == []
    assert (await world.rows("select tries from messages where id = $1", message_id))[0]["tries"] == 0
