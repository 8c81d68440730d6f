"""Templates, answers and reactions arrive as WhatsApp wants them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from blazz_chassis.seal import Sealer
from blazz_chat.channels import Channels
from blazz_chat.intake import Intake
from blazz_chat.templates import Templates
from blazz_contracts.content import Interactive, Reaction, Template, Text
from blazz_contracts.events import ProviderMessage

from tests.support.polling import until

from .conftest import World


async def received(world: World, wamid: str, phone: str, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "workspace_id": world.workspace_id,
        "channel_id": world.channel_id,
        "provider_message_id": wamid,
        "phone": phone,
        "sent_at": datetime.now(UTC),
        "type": "text",
        "content": {"body": "hello?"},
    }
    before = len(world.told("message.received"))
    await world.publisher.publish(ProviderMessage(**(fields | more)))
    await until(lambda: len(world.told("message.received")) > before)
    return world.told("message.received")[-1]


async def test_a_template_is_sent_with_its_parameters(world: World) -> None:
    body = {"type": "BODY", "text": "Hi {{1}}, welcome.", "example": {"body_text": [["Ada"]]}}
    answer = await world.simulator.post(
        f"/v23.0/2{world.phone_number_id[1:]}/message_templates",
        json={"name": "greeting", "language": "en_US", "category": "MARKETING", "components": [body]},
        headers={"Authorization": "Bearer token"},
    )
    assert answer.status_code == 200, answer.text
    await world.simulator.put(f"/_sim/templates/{answer.json()['id']}", json={"status": "APPROVED"})
    components = [{"type": "body", "parameters": [{"type": "text", "text": "Grace"}]}]
    content = Template(name="greeting", language="en_US", components=components)
    message_id = await world.send("+31660000001", content=content)
    await world.until_status(message_id, "sent")
    (entry,) = await world.sent_of(message_id)
    assert entry["body"] == {"name": "greeting", "language": {"code": "en_US"}, "components": components}


async def test_an_answer_names_the_message_it_answers_both_ways(world: World) -> None:
    question = await received(world, "wamid.q1", "31660000002")
    answer = await world.send("+31660000002", "yes", reply_to=UUID(question["message_id"]))
    message = await world.until_status(answer, "sent")
    assert message["reply_to"] == question["message_id"]
    thanks = await received(world, "wamid.q2", "31660000002", context={"id": message["provider_message_id"]})
    shown = await world.message(UUID(thanks["message_id"]))
    assert shown["reply_to"] == str(answer)


async def test_a_reaction_finds_its_message_both_ways(world: World) -> None:
    question = await received(world, "wamid.r1", "31660000003")
    reaction = await world.send("+31660000003", content=Reaction(message_id=UUID(question["message_id"]), emoji="👍"))
    message = await world.until_status(reaction, "sent")
    (entry,) = await world.sent_of(reaction)
    assert entry["body"] == {"message_id": "wamid.r1", "emoji": "👍"}
    assert message["text"] == "👍"
    greeting = await world.send("+31660000003", "hello")
    sent = await world.until_status(greeting, "sent")
    content = {"message_id": sent["provider_message_id"], "emoji": "❤️"}
    liked = await received(world, "wamid.r2", "31660000003", type="reaction", content=content)
    assert (await world.message(UUID(liked["message_id"])))["reply_to"] == str(greeting)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("unsupported", {"errors": [{"code": 131051, "title": "Unsupported"}]}),
        ("system", {"body": "Ada changed her number", "wa_id": "31660000099", "type": "user_changed_number"}),
        ("edit", {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "new"}}}),
        ("order", {"catalog_id": "1", "product_items": [{"quantity": 2}]}),
        ("something_new", {"deep": [{"er": None}], "nul": "a\0b"}),
    ],
)
async def test_every_type_is_kept_whole(world: World, kind: str, content: dict[str, Any]) -> None:
    event = await received(world, f"wamid.{kind}", "31660000004", type=kind, content=content)
    shown = await world.message(UUID(event["message_id"]))
    assert shown["type"] == kind
    assert shown["content"].keys() == content.keys()


async def test_a_system_notice_opens_no_window(world: World) -> None:
    event = await received(world, "wamid.s1", "31660000005", type="system", content={"body": "new number"})
    assert (await world.api("GET", f"/contacts/{event['contact_id']}")).json()["window_closes_at"] is None


async def test_characters_that_nobody_can_see_do_not_lose_a_message(world: World) -> None:
    message_id = await world.send("+31660000006", content=Text(body="a\0b"))
    assert (await world.until_status(message_id, "sent"))["text"] == "ab"
    event = await received(world, "wamid.nul", "31660000006", content={"body": "c\0d"}, profile_name="A\0da")
    assert (event["text"], event["contact_name"]) == ("cd", "Ada")


async def test_twenty_large_messages_at_once_break_no_channel(world: World) -> None:
    intake = Intake(
        world.chat.database, world.chat.outbox, Channels(Sealer(world.house.settings.seal_key)), Templates()
    )
    large = Interactive(interactive={"type": "button", "body": {"text": "x" * 950_000}, "action": {}})
    requests = [world.request(f"+3166000{n:04d}", content=large) for n in range(20)]
    small = [world.request(f"+3166001{n:04d}") for n in range(30)]
    await intake.store([*requests, *small])
    await until(lambda: len(world.told("message.created")) == 50)
    sizes = [len(orjson.dumps(body)) for name, body in world.heard if name == "message.created"]
    assert len(sizes) == 21
    assert max(sizes) < 2_000_000
