"""What customers write is stored once, in one conversation, and told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from blazz_contracts.events import ProviderMessage, ProviderPreference, ProviderUnrecognized

from tests.support.polling import until

from .conftest import World, item


def written(world: World, wamid: str, **more: Any) -> ProviderMessage:
    fields: dict[str, Any] = {
        "workspace_id": world.workspace_id,
        "channel_id": world.channel_id,
        "provider_message_id": wamid,
        "phone": "31640000001",
        "profile_name": "Ada",
        "sent_at": datetime.now(UTC),
        "type": "text",
        "content": {"body": "hello?"},
    }
    return ProviderMessage(**(fields | more))


async def test_a_message_is_stored_once_however_often_it_comes(world: World) -> None:
    event = written(world, "wamid.in1")
    await world.publisher.publish_many([event] * 20)
    await until(lambda: world.told("message.received"))
    await world.publisher.publish(written(world, "wamid.in2", content={"body": "still there?"}))
    await until(lambda: len(world.told("message.received")) == 2)
    assert [m["text"] for m in world.told("message.received")] == ["hello?", "still there?"]
    assert len(await world.rows("select 1 from conversations where workspace_id = $1", world.workspace_id)) == 1
    assert len(await world.rows("select 1 from contacts where workspace_id = $1", world.workspace_id)) == 1


async def test_a_customer_without_a_number_is_known_by_user_id_and_can_be_answered(world: World) -> None:
    await world.publisher.publish(written(world, "wamid.in3", phone=None, user_id="NL.abc123"))
    (received,) = await until(lambda: world.told("message.received"))
    contact = (await world.api("GET", f"/contacts/{received['contact_id']}")).json()
    assert (contact["phone"], contact["user_id"], contact["name"]) == (None, "NL.abc123", "Ada")
    # Later they write with their number: still the same person.
    await world.publisher.publish(written(world, "wamid.in4", user_id="NL.abc123"))
    await until(lambda: len(world.told("message.received")) == 2)
    contact = (await world.api("GET", f"/contacts/{received['contact_id']}")).json()
    assert contact["phone"] == "+31640000001"
    assert len(await world.rows("select 1 from contacts where workspace_id = $1", world.workspace_id)) == 1


async def test_an_old_conversation_takes_templates_only(world: World) -> None:
    await world.publisher.publish(written(world, "wamid.in5", sent_at=datetime.now(UTC) - timedelta(hours=25)))
    await until(lambda: world.told("message.received"))
    check = {"to": {"phone": "+31640000001"}, "content": {"type": "text", "body": "too late"}}
    refused = await world.api("POST", "/messages/check", json=check)
    assert (refused.status_code, refused.json()["code"]) == (422, "window_closed")
    message_id = await world.send("+31640000001")
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "window_closed"
    await world.publisher.publish(written(world, "wamid.in6"))
    await until(lambda: len(world.told("message.received")) == 2)
    assert (await world.api("POST", "/messages/check", json=check)).status_code == 200


async def test_the_change_feed_gives_each_change_once_in_order_without_a_gap(world: World) -> None:
    await world.publisher.publish(written(world, "wamid.in7"))
    message_id = await world.send("+31640000001", "answer")
    message = await world.until_status(message_id, "sent")
    await world.status(item(message_id, 1, "delivered", message["provider_message_id"]))
    await world.until_status(message_id, "delivered")
    changes: list[dict[str, Any]] = []
    after = 0
    while True:
        page = (await world.api("GET", f"/changes?after={after}&limit=2")).json()
        changes += page["changes"]
        after = page["next"]
        if not page["more"]:
            break
    assert [c["cursor"] for c in changes] == list(range(1, len(changes) + 1))
    steps = [c["data"]["status"] for c in changes if c["id"] == str(message_id)]
    assert steps == ["pending", "sent", "delivered"]


async def test_contacts_are_found_by_parts_of_name_and_number(world: World) -> None:
    await world.publisher.publish(written(world, "wamid.in8", profile_name="Grace Hopper", phone="31640000009"))
    await until(lambda: world.told("message.received"))
    for words in ("hopp", "GRACE", "640000009", "+31640000009", "+31 6 4000-0009", "ho"):
        found = (await world.api("GET", "/contacts", params={"search": words})).json()["items"]
        assert [c["name"] for c in found] == ["Grace Hopper"], words
    assert (await world.api("GET", "/contacts", params={"search": "%"})).json()["items"] == []


async def test_an_opt_out_is_remembered(world: World) -> None:
    await world.publisher.publish(written(world, "wamid.in10"))
    (received,) = await until(lambda: world.told("message.received"))
    preference = {"wa_id": "31640000001", "category": "marketing_messages", "value": "stop"}
    await world.publisher.publish(
        ProviderPreference(
            workspace_id=world.workspace_id,
            field="user_preferences",
            value={"user_preferences": [preference]},
            received_at=datetime.now(UTC),
        )
    )

    async def opted_out() -> bool:
        return bool((await world.api("GET", f"/contacts/{received['contact_id']}")).json()["marketing_opt_out"])

    await until(opted_out)


async def test_what_we_have_no_name_for_is_kept_and_shown(world: World) -> None:
    await world.publisher.publish(
        ProviderUnrecognized(
            workspace_id=world.workspace_id, field="brand_new", value={"a": [1]}, received_at=datetime.now(UTC)
        )
    )

    async def shown() -> Any:
        return (await world.api("GET", "/unrecognized")).json()["items"]

    (notice,) = await until(shown)
    assert (notice["field"], notice["value"]) == ("brand_new", {"a": [1]})
