"""Every webhook that is signed arrives at chat, and is answered only then."""

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.conftest import Build, World, signed
from tests.support.polling import until

DATA = Path(__file__).parents[2] / "data" / "webhooks"
BODIES = {
    f"{file.stem}/{name}": body
    for file in sorted(DATA.glob("*.json"))
    for name, body in json.loads(file.read_text()).items()
}


def with_number(body: Any, phone_number_id: str) -> Any:
    """The same body for our number: Meta's own would be another workspace's in the next test."""
    text = re.sub(r'("phone_number_id": )"\d+"', rf'\1"{phone_number_id}"', json.dumps(body))
    return json.loads(text)


def one_status(phone_number_id: str, *statuses: dict[str, Any]) -> dict[str, Any]:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": phone_number_id},
        "statuses": list(statuses),
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


def status(number: int = 0) -> dict[str, Any]:
    return {"id": f"wamid.{number}", "status": "delivered", "timestamp": "1698266945", "recipient_id": "31612345678"}


@pytest.mark.parametrize("name", BODIES)
async def test_every_real_body_arrives_on_the_broker(world: World, name: str) -> None:
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    body = with_number(BODIES[name], number.phone_number_id)
    answer = await world.webhook(number, body)
    assert answer.status_code == 200, answer.text
    event = {
        "messages": "provider.message",
        "statuses": "provider.status",
        "template_status_updates": "provider.template",
        "user_preferences": "provider.preference",
    }[name.partition("/")[0]]
    (told,) = await world.until_told(event, workspace_id=tenant.workspace_id)
    assert told["channel_id"] == str(number.id)
    value = body["entry"][0]["changes"][0]["value"]
    if event == "provider.message":
        assert told["provider_message_id"] == value["messages"][0]["id"]
    elif event == "provider.status":
        assert told["items"][0]["provider_message_id"] == value["statuses"][0]["id"]
    else:
        assert told["value"] == value
    (heard,) = [each for each in world.heard if each.body is told]
    assert heard.queue == ("chat.statuses" if event == "provider.status" else "chat.inbound")
    assert heard.properties.delivery_mode == 2
    assert heard.properties.headers["workspace-id"] == str(tenant.workspace_id)


async def test_a_thousand_statuses_are_two_broker_messages(world: World) -> None:
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    body = one_status(number.phone_number_id, *(status(each) for each in range(1_000)))
    assert (await world.webhook(number, body)).status_code == 200
    told = await world.until_told("provider.status", 2, workspace_id=tenant.workspace_id)
    assert [len(each["items"]) for each in told] == [500, 500]


async def test_metas_handshake_is_answered_with_the_challenge(world: World) -> None:
    number = await world.number((await world.tenant()).workspace_id)
    query = {"hub.mode": "subscribe", "hub.verify_token": number.verify_token, "hub.challenge": "1158201444"}
    path = f"/webhooks/whatsapp/{number.identifier}"
    answer = await world.http.get(path, params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "x"}, {"hub.mode": "unsubscribe"}):
        refused = await world.http.get(path, params=query | wrong)
        assert (refused.status_code, refused.json()["code"]) == (403, "verify_token_wrong")
        assert refused.json()["errors"][0]["field"] == next(iter(wrong))
    assert (await world.http.get(f"/webhooks/whatsapp/{uuid4().hex}", params=query)).status_code == 404


async def test_two_numbers_of_a_workspace_may_share_a_webhook(world: World) -> None:
    tenant = await world.tenant()
    one, two = await world.number(tenant.workspace_id), await world.number(tenant.workspace_id)
    assert (await world.webhook(one, one_status(two.phone_number_id, status()))).status_code == 200
    (told,) = await world.until_told("provider.status", workspace_id=tenant.workspace_id)
    assert told["channel_id"] == str(two.id)


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"7", b"null", b"{}", b'{"entry": [{"changes": [{"field": "new_kind", "value": [1]}]}]}']
)
async def test_what_is_json_is_never_refused_whatever_it_is(world: World, body: bytes) -> None:
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    assert (await world.webhook(number, body)).status_code == 200
    (told,) = await world.until_told("provider.unrecognized", workspace_id=tenant.workspace_id)
    assert told["channel_id"] == str(number.id)


@pytest.mark.parametrize(
    "body", [b'{"a":' * 500 + b"1" + b"}" * 500, b'{"entry": [{"n": 123456789012345678901234567890}]}']
)
async def test_json_that_cannot_be_carried_as_such_is_kept_as_text(world: World, body: bytes) -> None:
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    assert (await world.webhook(number, body)).status_code == 200
    (told,) = await world.until_told("provider.unrecognized", workspace_id=tenant.workspace_id)
    assert told["value"]["text"] == body.decode()


async def test_a_changed_secret_counts_as_soon_as_it_is_told_and_an_older_one_is_ignored(world: World) -> None:
    from dataclasses import replace

    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)
    changed = replace(number, app_secret="another")
    await world.tell(world.channel_updated(changed, revision=3))

    async def taken() -> bool:
        return (await world.webhook(changed, {})).status_code == 200

    await until(taken)
    assert (await world.webhook(number, {})).status_code == 403
    await world.tell(world.channel_updated(number, revision=2))
    marker = await world.number(tenant.workspace_id)
    assert (await world.webhook(marker, {})).status_code == 200
    assert (await world.webhook(number, {})).status_code == 403
    await world.tell(world.channel_updated(changed, revision=4, deleted=True))

    async def gone() -> bool:
        return (await world.webhook(changed, {})).status_code == 404

    await until(gone)


async def test_the_watermark_is_told_while_webhooks_are_taken(world: World) -> None:
    seen = len(world.told("webhooks.alive"))
    before = datetime.now(UTC)
    await world.until_told("webhooks.alive", seen + 3)
    latest = world.told("webhooks.alive")[-1]
    assert latest["workspace_id"] == "00000000-0000-0000-0000-000000000000"
    assert latest["interval"] == 0.2
    assert datetime.fromisoformat(latest["at"]) >= before
    assert {each.queue for each in world.heard if each.type == "webhooks.alive"} == {"chat.statuses"}


async def test_statuses_stand_before_the_watermark_that_covers_them(make_world: Build) -> None:
    world = await make_world(gateway_alive_seconds=0.01)
    tenant = await world.tenant()
    number = await world.number(tenant.workspace_id)

    async def deliver(index: int) -> datetime:
        arrived_after = datetime.now(UTC)
        assert (await world.webhook(number, one_status(number.phone_number_id, status(index)))).status_code == 200
        return arrived_after

    done: list[datetime] = []
    for start in range(0, 200, 20):
        done += await asyncio.gather(*(deliver(index) for index in range(start, start + 20)))
    await world.until_told("provider.status", 200, workspace_id=tenant.workspace_id)
    await world.until_told("webhooks.alive", len(world.told("webhooks.alive")) + 2)
    in_queue = [each for each in world.heard if each.queue == "chat.statuses"]
    place = {
        item["provider_message_id"]: index for index, each in enumerate(in_queue) for item in each.body.get("items", [])
    }
    for index, heard in enumerate(in_queue):
        if heard.type == "webhooks.alive":
            mark = datetime.fromisoformat(heard.body["at"])
            for number_of, answered in enumerate(finished(done)):
                if answered < mark:
                    assert place[f"wamid.{number_of}"] < index


def finished(times: list[datetime]) -> list[datetime]:
    """When each was surely with the gateway: the next batch began after it was answered."""
    return [times[min(len(times) - 1, (index // 20 + 1) * 20)] for index in range(len(times))][: len(times) - 20]


async def test_a_signature_is_checked_over_the_raw_body(world: World) -> None:
    number = await world.number((await world.tenant()).workspace_id)
    raw = '{ "entry" : [],\n "text": "für dich 👋" }'.encode()
    answer = await world.http.post(
        f"/webhooks/whatsapp/{number.identifier}",
        content=raw,
        headers={"X-Hub-Signature-256": signed(raw, number.app_secret)},
    )
    assert answer.status_code == 200
