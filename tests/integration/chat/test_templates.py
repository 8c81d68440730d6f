"""Templates: Meta's taken over, a workspace's own, and what each becomes in the conversation and on WhatsApp Web."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_contracts.content import Image, Template, Text
from blazz_contracts.events import ProviderTemplate
from blazz_contracts.message import Lane, Origin, OriginKind

from tests.support.polling import until

from .bridge_side import BridgeSide
from .conftest import Build, World
from .test_media import upload

PHONE = "+31641000001"
BODY = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way."}
GIVEN = [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "A-1"}]}]
SAID = "Hello Ada, your order A-1 is on its way."


async def put(world: World, name: str = "order", language: str = "en_US", *components: Any) -> Any:
    answer = await world.api("PUT", f"/templates/{name}/{language}", json={"components": list(components or (BODY,))})
    assert answer.status_code in (200, 201), answer.text
    return answer


async def sync(world: World) -> Any:
    answer = await world.api("POST", "/templates/sync", json={"channel_id": str(world.channel_id)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def at_meta(world: World, name: str, *, method: str = "POST", **body: Any) -> Any:
    headers = {"Authorization": "Bearer token"}
    url = f"/v23.0/2{world.phone_number_id[1:]}/message_templates"
    template = {"name": name, "language": "en_US", "category": "UTILITY", "components": body.pop("components", [])}
    return await world.simulator.request(
        method, url, headers=headers, **({"json": template | body} if method == "POST" else {"params": {"name": name}})
    )


async def check(world: World, channel_id: UUID, template: Template) -> Any:
    body = {"channel_id": str(channel_id), "to": {"phone": PHONE}, "content": template.model_dump(mode="json")}
    return await world.api("POST", "/messages/check", json=body)


def order(language: str = "en_US", name: str = "order", components: Any = GIVEN) -> Template:
    return Template(name=name, language=language, components=components)


async def test_an_own_template_leaves_whatsapp_web_as_what_it_says(bridge: BridgeSide) -> None:
    world = bridge.world
    assert (await put(world)).status_code == 201
    assert (await check(world, bridge.session_id, order())).status_code == 200
    message_id = await world.send(PHONE, content=order(), channel_id=bridge.session_id)
    sent = await world.until_status(message_id, "sent")
    (send,) = bridge.asked
    assert send.content == Text(body=SAID)
    assert (sent["type"], sent["text"], sent["content"]["name"]) == ("template", SAID, "order")
    (told,) = world.told("message.created", message_id)
    assert (told["type"], told["text"]) == ("template", SAID)
    (change,) = [
        each["data"] for each in (await world.api("GET", "/changes")).json()["changes"] if each["kind"] == "message"
    ]
    assert change["text"] == SAID


async def test_a_header_with_an_upload_leaves_as_a_file_with_the_text_below(bridge: BridgeSide) -> None:
    world = bridge.world
    await put(world, "photo", "en", {"type": "HEADER", "format": "IMAGE"}, BODY)
    media_id = await upload(world)

    def photo(of: Any) -> Template:
        image = {"type": "image", "image": {"id": str(of)}}
        return order("en", "photo", [{"type": "header", "parameters": [image]}, *GIVEN])

    assert (await check(world, bridge.session_id, photo(uuid4()))).json()["code"] == "media_not_found"
    assert (await check(world, bridge.session_id, photo(media_id))).status_code == 200
    message_id = await world.send(PHONE, content=photo(media_id), channel_id=bridge.session_id)
    sent = await world.until_status(message_id, "sent")
    assert bridge.asked[-1].content == Image(media_id=media_id, caption=SAID)
    assert sent["text"] == SAID


async def test_metas_templates_are_taken_over_a_page_at_a_time_and_removed_with_them(world: World) -> None:
    for n in range(230):
        answer = await at_meta(world, f"many_{n}", components=[{"type": "BODY", "text": f"number {n}"}])
        assert answer.status_code == 200, answer.text
    done = await sync(world)
    assert (done["kept"], done["removed"], done["passed_over"]) == (232, 0, 0)
    found = (await world.api("GET", "/templates", params={"name": "order_update"})).json()["items"]
    (update,) = found
    assert (update["status"], update["source"], update["waba_id"]) == ("APPROVED", "meta", done["waba_id"])
    assert update["components"][0]["text"].startswith("Hello {{1}}")
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await world.api("GET", "/templates", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
        ).json()
        names += [each["name"] for each in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert len(names) == len(set(names)) == 232
    assert (await at_meta(world, "many_7", method="DELETE")).status_code == 200
    done = await sync(world)
    assert (done["kept"], done["removed"]) == (231, 1)
    assert (await world.api("GET", "/templates/many_7/en_US")).status_code == 404


async def test_a_template_that_is_passed_over_stays_as_it_is_known_here(world: World) -> None:
    done = await sync(world)
    large = [{"type": "BODY", "text": "x"}, {"type": "CAROUSEL", "cards": ["x" * 40_000]}]
    assert (await at_meta(world, "grown", components=large)).status_code == 200
    await world.rows(
        "insert into templates (id, workspace_id, waba_id, name, language, category, status, components, updated_at) "
        "select gen_random_uuid(), $1, $2, n, 'en_US', 'UTILITY', 'APPROVED', $3, now() - interval '1 hour' "
        "from unnest('{grown,gone}'::text[]) n returning 1",
        world.workspace_id, done["waba_id"], [{"type": "BODY", "text": "x"}],
    )  # fmt: skip
    done = await sync(world)
    assert (done["kept"], done["removed"], done["passed_over"]) == (2, 1, 1)
    assert (await world.api("GET", "/templates/grown/en_US")).json()["components"] == [{"type": "BODY", "text": "x"}]
    assert (await world.api("GET", "/templates/gone/en_US")).status_code == 404


async def test_metas_template_leaves_whatsapp_web_while_it_is_approved(bridge: BridgeSide) -> None:
    world = bridge.world
    await sync(world)
    message_id = await world.send(PHONE, content=order(name="order_update"), channel_id=bridge.session_id)
    await world.until_status(message_id, "sent")
    assert bridge.asked[-1].content == Text(body=f"{SAID}\n\n• Where is it?")
    (row,) = await world.rows("select provider_template_id from templates where name = 'order_update' "
                              "and workspace_id = $1", world.workspace_id)  # fmt: skip

    async def told(event: str, at: datetime) -> None:
        value = {"event": event, "message_template_id": int(row["provider_template_id"]), "reason": "NONE"}
        await world.publisher.publish(
            ProviderTemplate(
                workspace_id=world.workspace_id, channel_id=world.channel_id, field="message_template_status_update",
                value=value, received_at=at,
            )
        )  # fmt: skip

    async def stands(status: str) -> bool:
        return (await world.api("GET", "/templates/order_update/en_US")).json()["status"] == status

    paused = datetime.now(UTC)
    await told("PAUSED", paused)
    await until(lambda: stands("PAUSED"))

    async def refused() -> Any:
        answer = await check(world, bridge.session_id, order(name="order_update"))
        return answer if answer.status_code == 422 else None

    assert (await until(refused)).json()["code"] == "template_unavailable"
    message_id = await world.send(PHONE, content=order(name="order_update"), channel_id=bridge.session_id)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "template_unavailable"
    # Late news changes nothing, a warning neither.
    await told("APPROVED", datetime(2026, 1, 1, tzinfo=UTC))
    await told("FLAGGED", datetime.now(UTC))
    await told("REINSTATED", datetime.now(UTC))
    await until(lambda: stands("APPROVED"))
    message_id = await world.send(PHONE, content=order(name="order_update"), channel_id=bridge.session_id)
    await until(lambda: world.is_in(message_id, "sent"))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (order(name="nobody"), "template_unknown_here"),
        (order("nl"), "template_language_unknown"),
        (order(components=[]), "template_parameters"),
        (
            order(components=[*GIVEN, {"type": "header", "parameters": [{"type": "text", "text": "x"}]}]),
            "template_parameters",
        ),
    ],
)
async def test_what_cannot_be_rendered_is_refused_at_once_and_fails_unasked(
    bridge: BridgeSide, asked: Template, code: str
) -> None:
    world = bridge.world
    await put(world)
    answer = await check(world, bridge.session_id, asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    if code == "template_language_unknown":
        assert "en_US" in answer.json()["detail"]
    message_id = await world.send(PHONE, content=asked, channel_id=bridge.session_id)
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == code
    assert bridge.asked == []


async def test_the_conversation_shows_what_a_template_says_on_the_cloud_api_too(world: World) -> None:
    before = await world.send(PHONE, content=order(name="order_update"))
    assert (await world.until_status(before, "sent"))["text"] == "order_update"
    await sync(world)
    after = await world.send(PHONE, content=order(name="order_update"))
    sent = await world.until_status(after, "sent")
    assert sent["text"] == f"{SAID}\n\n• Where is it?"
    (entry,) = await world.sent_of(after)
    assert entry["type"] == "template"
    # Whether WhatsApp takes it is WhatsApp's to say.
    wrong = await world.send(PHONE, content=order(name="order_update", components=[]))
    failed = await world.until_status(wrong, "failed")
    assert (failed["failure"]["provider_code"], failed["text"]) == (132000, "order_update")


async def test_an_own_template_goes_before_metas_on_whatsapp_web_alone(bridge: BridgeSide) -> None:
    world = bridge.world
    await sync(world)
    assert (await world.api("DELETE", "/templates/order_update/en_US")).json()["code"] == "template_from_meta"
    await put(world, "order_update", "en_US", {"type": "BODY", "text": "Ours: {{1}}, {{2}}"})
    web = await world.send(PHONE, content=order(name="order_update"), channel_id=bridge.session_id)
    assert (await world.until_status(web, "sent"))["text"] == "Ours: Ada, A-1"
    cloud = await world.send(PHONE, content=order(name="order_update"))
    assert (await world.until_status(cloud, "sent"))["text"].startswith(SAID)
    assert (await world.api("DELETE", "/templates/order_update/en_US")).status_code == 204
    assert (await world.api("GET", "/templates/order_update/en_US")).json()["source"] == "meta"


async def test_what_was_accepted_is_sent_whatever_becomes_of_its_template(world: World, make_bridge: Any) -> None:
    bridge = await make_bridge(world, ready=False)
    await put(world)
    message_id = await world.send(PHONE, content=order(), channel_id=bridge.session_id)
    await world.until_status(message_id, "pending")
    assert (await world.api("DELETE", "/templates/order/en_US")).status_code == 204
    await bridge.state("ready")
    await world.until_status(message_id, "sent")
    assert bridge.asked[-1].content == Text(body=SAID)


async def test_a_batch_asks_once_for_all_its_templates(world: World, make_bridge: Any, monkeypatch: Any) -> None:
    from asyncpg import Connection
    from blazz_chat.templates import _FIND

    bridge = await make_bridge(world)
    for n in range(5):
        await put(world, f"order_{n}")
    asked: list[int] = []
    fetch = Connection.fetch

    async def counted(self: Any, sql: str, *arguments: Any, **more: Any) -> Any:
        if sql == _FIND:
            asked.append(len(arguments[0]))
        return await fetch(self, sql, *arguments, **more)

    monkeypatch.setattr(Connection, "fetch", counted)
    campaign = {"lane": Lane.CAMPAIGN, "origin": Origin(kind=OriginKind.CAMPAIGN, id=uuid4())}
    ids = [
        await world.send(
            f"+3164200{n:04d}", content=order(name=f"order_{n % 5}"), channel_id=bridge.session_id, **campaign
        )
        for n in range(100)
    ]
    for message_id in ids:
        await world.until_status(message_id, "sent")
    assert {send.content for send in bridge.asked} == {Text(body=SAID)}
    assert len(bridge.asked) == 100
    assert sum(asked) < 50, f"{asked}: known ones are asked for again"


async def test_changes_of_templates_are_audited(world: World) -> None:
    await put(world)
    assert (await put(world)).status_code == 200
    await world.api("DELETE", "/templates/order/en_US")
    await sync(world)
    await until(lambda: len([1 for each in world.told("audit.recorded") if each["target_kind"] == "template"]) == 4)
    actions = [each["action"] for each in world.told("audit.recorded") if each["target_kind"] == "template"]
    assert actions == ["template.saved", "template.saved", "template.deleted", "templates.synced"]


async def test_what_meta_refuses_or_does_not_answer_changes_nothing(world: World, make_bridge: Any) -> None:
    await sync(world)
    await world.faults(kind="error", codes=[190], path="templates", phone_number_id=world.phone_number_id)
    body = {"channel_id": str(world.channel_id)}
    answer = await world.api("POST", "/templates/sync", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "access_token_refused")
    await world.simulator.delete("/_sim/faults")
    assert (await world.api("GET", "/templates/order_update/en_US")).status_code == 200
    bridge = await make_bridge(world)
    for channel_id, status, code in (
        (bridge.session_id, 409, "no_templates"),
        (uuid4(), 404, "channel_not_found"),
    ):
        answer = await world.api("POST", "/templates/sync", json={"channel_id": str(channel_id)})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_no_workspace_sees_takes_or_sends_anothers_templates(make_channel: Build, make_bridge: Any) -> None:
    mine, theirs = await make_channel(), await make_channel()
    await put(theirs)
    await sync(theirs)
    bridge = await make_bridge(mine)
    assert (await mine.api("GET", "/templates")).json()["items"] == []
    for name in ("order", "order_update"):
        assert (await mine.api("GET", f"/templates/{name}/en_US")).status_code == 404
        assert (await mine.api("DELETE", f"/templates/{name}/en_US")).status_code == 404
        assert (await check(mine, bridge.session_id, order(name=name))).json()["code"] == "template_unknown_here"
        message_id = await mine.send(PHONE, content=order(name=name), channel_id=bridge.session_id)
        failed = await mine.until_status(message_id, "failed")
        assert (failed["failure"]["code"], failed["text"]) == ("template_unknown_here", name)
    answer = await mine.api("POST", "/templates/sync", json={"channel_id": str(theirs.channel_id)})
    assert answer.status_code == 404
    await put(mine)
    assert (await theirs.api("DELETE", "/templates/order/en_US")).status_code == 204
    assert (await mine.api("GET", "/templates/order/en_US")).status_code == 200
