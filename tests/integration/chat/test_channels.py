"""A number belongs to whoever may use it at WhatsApp, and to nobody else."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.proxy import Proxy

from .conftest import Build, World


async def account(world: World, token: str) -> str:
    """A number at WhatsApp that this token may use."""
    number = f"1{uuid4().int % 10**14:014d}"
    fields = {
        "display_phone_number": "15550783881", "waba_id": f"2{number[1:]}", "access_token": token, "app_secret": "s",
    }  # fmt: skip
    answer = await world.simulator.put(f"/_sim/accounts/{number}", json=fields)
    assert answer.status_code < 300, answer.text
    return number


async def connect(world: World, number: str, token: str, **more: Any) -> httpx.Response:
    body = {
        "name": "Theirs", "phone_number_id": number, "waba_id": f"2{number[1:]}", "access_token": token,
        "app_secret": "s", "verify_token": "v",
    }  # fmt: skip
    return await world.api("POST", "/channels", json=body | more)


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    said = answer.json()
    return answer.status_code, said["code"], said["errors"][0]["field"]


async def test_a_number_is_connected_only_by_who_can_use_it(make_channel: Build) -> None:
    owner, other = await make_channel(), await make_channel()
    number, theirs = await account(owner, "token-of-the-owner"), await account(other, "token-of-another")
    answer = await connect(other, number, "token-of-another")
    assert refused(answer) == (422, "phone_number_refused", "phone_number_id")
    answer = await connect(other, number, "made-up")
    assert refused(answer) == (422, "access_token_refused", "access_token")
    assert "made-up" not in answer.text
    answer = await connect(other, "12345", "token-of-another")
    assert refused(answer) == (422, "phone_number_refused", "phone_number_id")
    assert (await connect(other, theirs, "token-of-another")).status_code == 201
    mine = await connect(owner, number, "token-of-the-owner")
    assert mine.status_code == 201
    assert mine.json()["display_phone_number"] == "+15550783881"
    assert (await connect(other, number, "token-of-the-owner")).status_code == 409


async def test_a_new_access_token_is_tried_before_it_is_taken(world: World) -> None:
    number, other = await account(world, "first"), await account(world, "other")
    assert other != number
    channel = (await connect(world, number, "first", display_phone_number="our name for it")).json()
    assert channel["display_phone_number"] == "our name for it"
    path = f"/channels/{channel['id']}"
    answer = await world.api("PATCH", path, json={"access_token": "other"})
    assert refused(answer) == (422, "phone_number_refused", "phone_number_id")
    answer = await world.api("PATCH", path, json={"access_token": "made-up"})
    assert refused(answer) == (422, "access_token_refused", "access_token")
    assert (await world.api("PATCH", path, json={"access_token": "first"})).status_code == 200
    assert (await world.api("PATCH", f"/channels/{uuid4()}", json={"access_token": "first"})).status_code == 404


async def test_while_whatsapp_cannot_be_asked_nobody_connects_a_number(make_world: Build, simulator_url: str) -> None:
    way = Proxy(simulator_url)
    await way.mend()
    world = await make_world(chat_graph_url=way.url)
    number = await account(world, "token")
    await way.cut()
    answer = await connect(world, number, "token")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    answer = await world.api("PATCH", f"/channels/{world.channel_id}", json={"access_token": "token"})
    assert answer.status_code == 503
    assert (await world.api("PATCH", f"/channels/{world.channel_id}", json={"name": "New"})).status_code == 200
    await way.mend()
    assert (await connect(world, number, "token")).status_code == 201
    await way.cut()
