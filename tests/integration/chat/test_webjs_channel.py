"""A WhatsApp Web session's number is a channel like any other, that knows how its session stands."""

from typing import Any

from tests.support.polling import until

from .bridge_side import BridgeSide
from .conftest import Build, World


async def channel_of(bridge: BridgeSide) -> dict[str, Any]:
    return dict((await bridge.world.api("GET", f"/channels/{bridge.session_id}")).json())


async def test_creating_a_session_twice_makes_one_channel(bridge: BridgeSide) -> None:
    again = await bridge.connect(name="Another name")
    assert again.status_code == 200
    assert again.json()["id"] == str(bridge.session_id)
    assert again.json()["name"] == "WhatsApp Web"
    assert len(bridge.world.told("channel.updated")) >= 1


async def test_a_channel_without_an_id_gets_one(world: World) -> None:
    answer = await world.api("POST", "/channels", json={"provider": "webjs", "name": "Shop"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["limits"] == {
        "messages_per_second": None, "pair_seconds": None, "pair_burst": 45, "recipients_per_day": None,
    }  # fmt: skip
    assert (made["phone_number_id"], made["webhook_identifier"], made["session_state"]) == (None, None, None)


async def test_the_id_of_another_workspaces_channel_is_refused(bridge: BridgeSide, make_channel: Build) -> None:
    stranger = BridgeSide(await make_channel(), bridge.world.house.vhost, bridge.session_id)
    answer = await stranger.connect()
    assert (answer.status_code, answer.json()["code"]) == (409, "channel_exists")


async def test_the_id_of_a_meta_number_is_refused(world: World) -> None:
    answer = await BridgeSide(world, world.house.vhost, world.channel_id).connect()
    assert (answer.status_code, answer.json()["code"]) == (409, "channel_exists")


async def test_limits_that_are_named_hold_and_the_others_are_none(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, limits={"messages_per_second": 2})
    assert (await channel_of(bridge))["limits"]["messages_per_second"] == 2
    assert (await channel_of(bridge))["limits"]["recipients_per_day"] is None
    path = f"/channels/{bridge.session_id}"
    changed = await world.api("PATCH", path, json={"limits": {"messages_per_second": 3}})
    assert changed.json()["limits"]["pair_seconds"] is None


async def test_a_session_has_no_access_token_to_change(bridge: BridgeSide) -> None:
    answer = await bridge.world.api("PATCH", f"/channels/{bridge.session_id}", json={"access_token": "x"})
    assert answer.status_code == 422


async def test_the_channel_shows_how_its_session_stands(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, ready=False)
    await bridge.state("qr", cause="scan the code")
    shown = await channel_of(bridge)
    assert (shown["session_state"], shown["session_cause"]) == ("qr", "scan the code")
    await bridge.state("ready", phone="4915112345678", name="Acme")
    shown = await channel_of(bridge)
    assert (shown["session_state"], shown["session_cause"]) == ("ready", None)
    assert (shown["display_phone_number"], shown["name"]) == ("+4915112345678", "Acme")


async def test_late_news_of_a_session_changes_nothing(bridge: BridgeSide) -> None:
    await bridge.state("offline", revision=bridge.revision)
    await bridge.state("stopped", revision=1)
    bridge.revision = 5
    await bridge.state("conflict")
    assert (await channel_of(bridge))["session_state"] == "conflict"
    await bridge.state("ready", revision=5)
    last = await bridge.bring(phone="31620000001")
    await until(lambda: bridge.world.told("message.received"))
    assert last.channel_id == bridge.session_id
    assert (await channel_of(bridge))["session_state"] == "conflict"


async def test_the_channel_is_told_of_when_its_number_changes_and_not_when_its_state_does(bridge: BridgeSide) -> None:
    def told() -> list[dict[str, Any]]:
        return [e for e in bridge.world.told("channel.updated") if e["channel_id"] == str(bridge.session_id)]

    await until(lambda: len(told()) == 2, what="created, and its number known")
    await bridge.state("offline", phone="4915112345678")
    await bridge.state("ready", phone="4915199999999")
    await until(lambda: len(told()) == 3, what="another number")
    assert [each["revision"] for each in told()] == [1, 2, 3]
    assert {each["provider"] for each in told()} == {"webjs"}


async def test_news_of_a_session_of_another_workspace_changes_nothing(bridge: BridgeSide, make_channel: Build) -> None:
    stranger = BridgeSide(await make_channel(), bridge.world.house.vhost, bridge.session_id)
    stranger.publisher = bridge.publisher
    await stranger.state("banned", revision=99)
    await bridge.state("offline")
    assert (await channel_of(bridge))["session_state"] == "offline"


async def test_what_says_no_state_is_dead_and_stops_nothing(bridge: BridgeSide) -> None:
    await bridge.state("dancing", revision=90)
    bridge.revision = 90
    await bridge.state("ready")
    assert (await channel_of(bridge))["session_state"] == "ready"


async def test_a_deleted_channel_is_told_of_and_what_it_had_to_send_fails(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, ready=False)
    message_id = await world.send("+31620000002", channel_id=bridge.session_id)
    await world.until_status(message_id, "pending")
    assert (await world.api("DELETE", f"/channels/{bridge.session_id}")).status_code == 204
    failed = await world.until_status(message_id, "failed")
    assert failed["failure"]["code"] == "channel_deleted"
    await until(lambda: any(e["deleted"] for e in world.told("channel.updated")))


async def test_what_lay_in_a_deleted_sessions_queue_becomes_unconfirmed(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, listening=False)
    message_id = await world.send("+31620000003", channel_id=bridge.session_id)
    await until(bridge.waiting)
    await world.api("DELETE", f"/channels/{bridge.session_id}")
    await world.until_status(message_id, "unconfirmed")
