"""Limits are exact, over all instances, and replays are free."""

import asyncio
from uuid import uuid4

from tests.integration.gateway.conftest import Build, World

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}


async def test_a_user_sends_sixty_in_a_minute_and_not_one_more(make_world: Build) -> None:
    world = await make_world()
    second = await world.start_again()
    tenant = await world.tenant()
    headers = await world.bearer(tenant.email)
    answers = await asyncio.gather(
        *(
            (world if number % 2 else second).http.post("/api/v1/messages", json=TEXT, headers=headers)
            for number in range(100)
        )
    )
    codes = [answer.status_code for answer in answers]
    assert codes.count(202) == 60
    assert codes.count(429) == 40
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert refused.headers["ratelimit-limit"] == "60"
    assert refused.headers["ratelimit-remaining"] == "0"
    accepted = [answer for answer in answers if answer.status_code == 202]
    assert {int(answer.headers["ratelimit-remaining"]) for answer in accepted} == set(range(60))
    # What was refused left nothing.
    assert len(await world.rows("select 1 from accepted where workspace_id = $1", tenant.workspace_id)) == 60
    # A limit is the person's: a token of the same workspace goes on.
    assert (await world.send(tenant)).status_code == 202
    await world.until_told("message.requested", 61, workspace_id=tenant.workspace_id)


async def test_a_tokens_own_limit_holds_and_replays_do_not_count(world: World) -> None:
    tenant = await world.tenant(rate=3)
    key = {"Idempotency-Key": uuid4().hex}
    codes = [(await world.send(tenant, **key)).status_code for _ in range(10)]
    assert codes == [202] * 10
    assert [(await world.send(tenant)).status_code for _ in range(4)] == [202, 202, 429, 429]
    assert (await world.send(tenant, **key)).status_code == 202


async def test_a_refused_key_can_be_used_when_there_is_room(world: World) -> None:
    tenant = await world.tenant(rate=1)
    assert (await world.send(tenant)).status_code == 202
    key = {"Idempotency-Key": uuid4().hex}
    assert (await world.send(tenant, **key)).status_code == 429
    await world.rows("delete from rate_windows returning subject")
    assert (await world.send(tenant, **key)).status_code == 202


async def test_a_token_without_a_limit_is_told_of_none(world: World) -> None:
    answer = await world.send(await world.tenant())
    assert "ratelimit-limit" not in answer.headers
