"""What a WhatsApp Web session brings: stored once, with whom it belongs to, and corrected when it is."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_chassis import context

from tests.support.polling import until

from .bridge_side import BridgeSide, key_of, later, stored
from .conftest import CONTEXT_KEY, World


async def contacts(world: World) -> list[dict[str, Any]]:
    return list((await world.api("GET", "/contacts")).json()["items"])


async def contact(world: World, contact_id: str) -> dict[str, Any]:
    return dict((await world.api("GET", f"/contacts/{contact_id}")).json())


async def said(world: World, contact_id: str) -> list[str]:
    items = (await world.api("GET", f"/contacts/{contact_id}/messages")).json()["items"]
    return [item["text"] for item in reversed(items)]


def lid() -> str:
    return str(uuid4().int % 10**14)


async def test_what_is_told_twice_is_stored_once(bridge: BridgeSide) -> None:
    event = await bridge.bring(phone="31630000001", profile_name="Ada")
    message = await stored(bridge.world, event)
    for _ in range(3):
        await bridge.publisher.publish(event)
    await stored(bridge.world, await bridge.bring(phone="31630000001"))
    assert (message["direction"], message["status"], message["text"]) == ("inbound", "received", "hello")
    assert len(bridge.world.told("message.received", UUID(message["id"]))) == 1
    assert await said(bridge.world, message["contact_id"]) == ["hello", "hello"]


async def test_a_number_and_a_hidden_id_are_one_contact(bridge: BridgeSide) -> None:
    world, hidden = bridge.world, lid()
    first = await stored(world, await bridge.bring(lid=hidden))
    both = await stored(world, await bridge.bring(lid=hidden, phone="31630000002", profile_name="Ada"))
    third = await stored(world, await bridge.bring(phone="31630000002"))
    assert {m["contact_id"] for m in (first, both, third)} == {first["contact_id"]}
    known = await contact(world, first["contact_id"])
    assert (known["phone"], known["lid"], known["name"]) == ("+31630000002", hidden, "Ada")


async def test_somebody_new_who_says_their_number_once_is_one_contact(bridge: BridgeSide) -> None:
    world, hidden = bridge.world, lid()
    events = [await bridge.bring(lid=hidden, **more) for more in ({}, {"phone": "31630000003"}, {})]
    messages = [await stored(world, event) for event in events]
    assert len({m["contact_id"] for m in messages}) == 1


async def test_two_contacts_that_are_one_person_become_the_older(bridge: BridgeSide) -> None:
    world, hidden = bridge.world, lid()
    by_phone = await stored(world, await bridge.bring(phone="31630000004", content={"body": "one"}))
    by_lid = await stored(world, await bridge.bring(lid=hidden, content={"body": "two"}, profile_name="Grace"))
    assert by_phone["contact_id"] != by_lid["contact_id"]
    both = await stored(world, await bridge.bring(phone="31630000004", lid=hidden, content={"body": "three"}))
    older = by_phone["contact_id"]
    assert both["contact_id"] == older
    assert await said(world, older) == ["one", "two", "three"]
    # Whoever remembers the younger finds the older, and writes to them.
    found = await contact(world, by_lid["contact_id"])
    assert (found["id"], found["lid"], found["phone"], found["name"]) == (older, hidden, "+31630000004", "Grace")
    assert await said(world, by_lid["contact_id"]) == ["one", "two", "three"]
    assert [c["id"] for c in await contacts(world)] == [older]
    message_id = await world.send("+31630000000", to={"contact_id": by_lid["contact_id"]}, channel_id=bridge.session_id)
    assert (await world.until_status(message_id, "sent"))["contact_id"] == older
    moved = await world.message(UUID(by_lid["id"]))
    assert moved["conversation_id"] == both["conversation_id"]
    feed = (await world.api("GET", "/changes")).json()["changes"]
    assert {"merged_into": older} in [c["data"] for c in feed if c["id"] == by_lid["contact_id"]]


async def test_a_number_that_passed_to_another_person_merges_nobody(bridge: BridgeSide) -> None:
    world, hers, his = bridge.world, lid(), lid()
    ada = await stored(world, await bridge.bring(phone="31630000005", lid=hers))
    bob = await stored(world, await bridge.bring(lid=his))
    await stored(world, await bridge.bring(phone="31630000005", lid=his))
    assert (await contact(world, ada["contact_id"]))["lid"] == hers
    assert (await contact(world, bob["contact_id"]))["id"] == bob["contact_id"]


async def test_who_is_known_by_a_hidden_id_alone_can_be_answered(bridge: BridgeSide) -> None:
    world, hidden = bridge.world, lid()
    written = await stored(world, await bridge.bring(lid=hidden))
    message_id = await world.send(
        "+31630000000", to={"contact_id": written["contact_id"]}, channel_id=bridge.session_id
    )
    await world.until_status(message_id, "sent")
    (send,) = [s for s in bridge.asked if s.message_id == message_id]
    assert (send.to.phone, send.to.lid) == (None, hidden)


async def test_what_was_written_on_the_phone_belongs_into_the_conversation(bridge: BridgeSide) -> None:
    world, hidden = bridge.world, lid()
    event = await bridge.bring(echo=True, phone="31630000006", lid=hidden, provider_message_id="true_x_AA1")
    echo = await stored(world, event)
    assert (echo["direction"], echo["status"]) == ("outbound", "received")
    known = await contact(world, echo["contact_id"])
    assert (known["lid"], known["window_closes_at"]) == (hidden, None)


async def test_an_echo_of_a_message_of_ours_does_not_appear_twice(bridge: BridgeSide) -> None:
    world = bridge.world
    message_id = await world.send("+31630000007", "from here", channel_id=bridge.session_id)
    sent = await world.until_status(message_id, "sent")
    (send,) = [s for s in bridge.asked if s.message_id == message_id]
    await bridge.bring(echo=True, phone="31630000007", provider_message_id=key_of(send), content={"body": "from here"})
    await stored(world, await bridge.bring(phone="31630000007", content={"body": "thanks"}))
    assert await said(world, sent["contact_id"]) == ["from here", "thanks"]


async def test_a_customers_edit_changes_the_earlier_message_and_is_told_once(bridge: BridgeSide) -> None:
    world = bridge.world
    event = await bridge.bring(phone="31630000008", content={"body": "at 5"})
    message = await stored(world, event)
    edit = await bridge.bring(
        "edit",
        phone="31630000008",
        provider_message_id=event.provider_message_id,
        content={"message_id": event.provider_message_id, "text": "at 6"},
        sent_at=later(60),
    )
    await until(lambda: world.told("message.changed"))
    for _ in range(3):
        await bridge.publisher.publish(edit)
    older = await bridge.bring(
        "edit",
        phone="31630000008",
        content={"message_id": event.provider_message_id, "text": "at 7"},
        sent_at=later(30),
    )
    assert older.type == "edit"
    await stored(world, await bridge.bring(phone="31630000008"))
    now = await world.message(UUID(message["id"]))
    assert (now["text"], now["content"]["body"]) == ("at 6", "at 6")
    assert now["edited_at"] is not None
    (told,) = world.told("message.changed")
    assert (told["message_id"], told["change"], told["text"]) == (message["id"], "edited", "at 6")
    feed = (await world.api("GET", "/changes")).json()["changes"]
    assert [c["data"]["text"] for c in feed if c["id"] == message["id"]] == ["at 5", "at 6"]
    assert await said(world, message["contact_id"]) == ["at 6", "hello"]


async def test_a_message_and_its_correction_may_come_together(bridge: BridgeSide) -> None:
    world = bridge.world
    key = f"false_1@lid_{uuid4().hex}"
    first = await bridge.bring(phone="31630000009", provider_message_id=key, content={"body": "helo"})
    await bridge.bring(
        "edit",
        phone="31630000009",
        provider_message_id=key,
        content={"message_id": key, "type": "text", "body": "hello!"},
    )
    await until(lambda: world.told("message.changed"))
    assert (await stored(world, first))["text"] == "hello!"


async def test_a_message_that_was_taken_back_shows_nothing_more_of_it(bridge: BridgeSide) -> None:
    world = bridge.world
    event = await bridge.bring("image", phone="31630000010", content={"caption": "me", "media_id": str(uuid4())})
    message = await stored(world, event)
    await bridge.bring("revoke", phone="31630000010", content={"message_id": event.provider_message_id})
    await until(lambda: world.told("message.changed"))
    await bridge.bring(
        "edit", phone="31630000010", content={"message_id": event.provider_message_id, "text": "x"}, sent_at=later(9)
    )
    await stored(world, await bridge.bring(phone="31630000010"))
    now = await world.message(UUID(message["id"]))
    assert (now["content"], now["text"], now["edited_at"]) == ({}, "This message was deleted", None)
    assert now["revoked_at"] is not None
    assert [told["change"] for told in world.told("message.changed")] == ["revoked"]


async def test_what_we_sent_is_corrected_when_the_phone_corrects_it(bridge: BridgeSide) -> None:
    world = bridge.world
    message_id = await world.send("+31630000011", "wrong", channel_id=bridge.session_id)
    sent = await world.until_status(message_id, "sent")
    await bridge.bring("revoke", echo=True, phone="31630000011", content={"message_id": sent["provider_message_id"]})
    await until(lambda: world.told("message.changed", message_id))
    assert (await world.message(message_id))["status"] == "sent"


async def test_a_correction_of_what_nobody_knows_is_kept(bridge: BridgeSide) -> None:
    event = await bridge.bring("edit", phone="31630000012", content={"message_id": "false_x_1", "text": "now"})
    kept = await stored(bridge.world, event)
    assert (kept["type"], kept["text"]) == ("edit", "now")


async def test_a_correction_reaches_no_message_of_another_channel(bridge: BridgeSide, make_bridge: Any) -> None:
    event = await bridge.bring(phone="31630000013")
    message = await stored(bridge.world, event)
    other = await make_bridge(bridge.world)
    revoke = await other.bring("revoke", phone="31630000013", content={"message_id": event.provider_message_id})
    assert (await stored(bridge.world, revoke))["type"] == "revoke"
    assert (await bridge.world.message(UUID(message["id"])))["text"] == "hello"


async def test_a_reaction_names_the_message_it_is_put_on(bridge: BridgeSide) -> None:
    world = bridge.world
    event = await bridge.bring(phone="31630000014")
    message = await stored(world, event)
    liked = await bridge.bring(
        "reaction", phone="31630000014", content={"message_id": event.provider_message_id, "emoji": "👍"}
    )
    shown = await stored(world, liked)
    assert (shown["text"], shown["reply_to"]) == ("👍", message["id"])


async def test_a_missed_call_is_shown_and_opens_no_window(bridge: BridgeSide) -> None:
    call = await stored(bridge.world, await bridge.bring("call", phone="31630000015", content={}))
    assert (call["type"], call["text"], call["direction"]) == ("call", "Missed call", "inbound")
    assert (await contact(bridge.world, call["contact_id"]))["window_closes_at"] is None


async def test_a_customers_message_opens_the_window(bridge: BridgeSide) -> None:
    message = await stored(bridge.world, await bridge.bring(phone="31630000016"))
    assert (await contact(bridge.world, message["contact_id"]))["window_closes_at"] is not None


async def test_what_is_written_in_a_group_stands_in_the_groups_conversation(bridge: BridgeSide) -> None:
    world = bridge.world
    group = {"id": f"{uuid4().int % 10**18}@g.us", "name": "Family"}
    first = await stored(world, await bridge.bring(phone="31630000017", profile_name="Ada", extra={"group": group}))
    second = await stored(world, await bridge.bring(lid=lid(), extra={"group": group["id"]}))
    assert first["contact_id"] == second["contact_id"]
    assert first["content"]["author"] == {"phone": "31630000017", "lid": None, "name": "Ada"}
    known = await contact(world, first["contact_id"])
    assert (known["name"], known["lid"], known["phone"]) == ("Family", group["id"], None)
    body = {
        "channel_id": str(bridge.session_id),
        "to": {"contact_id": first["contact_id"]},
        "content": {"type": "text", "body": "hi all"},
    }
    answer = await world.api("POST", "/messages/check", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "type_not_supported")


@pytest.mark.parametrize("kind", ["user", "token", "service"])
async def test_files_that_customers_sent_may_be_larger_than_what_we_send(bridge: BridgeSide, kind: Any) -> None:
    world = bridge.world
    who = context.WorkspaceContext(workspace_id=world.workspace_id, actor_kind=kind)
    headers = {
        "Authorization": f"Bearer {context.sign(who, CONTEXT_KEY, audience='chat')}",
        "Content-Type": "image/jpeg",
    }
    large = b"x" * 6_000_000
    refused = await world.http.post("/internal/media", content=large, headers=headers)
    assert refused.status_code == 413
    answer = await world.http.post("/internal/media", params={"received": "true"}, content=large, headers=headers)
    assert answer.status_code == (201 if kind == "service" else 403)
    if kind == "service":
        content = {"media_id": answer.json()["id"], "mime_type": "image/jpeg"}
        message = await stored(world, await bridge.bring("image", phone="31630000018", content=content))
        assert message["content"]["media_id"] == answer.json()["id"]
        assert await world.rows("select 1 from media where state = 'pending' and message_id = $1",
                                UUID(message["id"])) == []  # fmt: skip
