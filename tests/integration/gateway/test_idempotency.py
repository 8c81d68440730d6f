"""A key is a promise: one message and one answer, however often it is asked for."""

import asyncio
from uuid import uuid4

from tests.integration.gateway.conftest import Build, World
from tests.support.polling import until


async def test_the_same_key_and_body_give_the_same_message_and_answer(world: World) -> None:
    tenant = await world.tenant()
    key = {"Idempotency-Key": uuid4().hex}
    first = await world.send(tenant, **key)
    again = await world.send(tenant, **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = await world.send(tenant)
    await world.until_told("message.requested", message_id=other.json()["id"])
    assert len(world.told("message.requested", workspace_id=tenant.workspace_id)) == 2


async def test_white_space_and_the_order_of_fields_are_no_other_body(world: World) -> None:
    tenant = await world.tenant()
    headers = {**tenant.headers, "Idempotency-Key": uuid4().hex, "content-type": "application/json"}
    bodies = [
        '{"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "a"}}',
        '{"type":"text","text":{"body":"a"},"to":{"phone":"+31612345678"}}',
    ]
    answers = [await world.http.post("/api/v1/messages", content=body, headers=headers) for body in bodies]
    assert answers[0].json() == answers[1].json()


async def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    tenant = await world.tenant()
    key = {"Idempotency-Key": uuid4().hex}
    await world.send(tenant, **key)
    answer = await world.send(tenant, {"text": {"body": "another"}}, **key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_workspace(world: World) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    one, two = await world.tenant(), await world.tenant()
    assert (await world.send(one, **key)).json()["id"] != (await world.send(two, **key)).json()["id"]


async def test_many_at_once_with_one_key_are_one_message(world: World) -> None:
    tenant = await world.tenant()
    key = {"Idempotency-Key": uuid4().hex}
    answers = await asyncio.gather(*(world.send(tenant, **key) for _ in range(30)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(ids) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_flight"
            assert int(answer.headers["retry-after"]) >= 1
    assert (await world.send(tenant, **key)).json()["id"] in ids
    marker = (await world.send(tenant)).json()["id"]
    await world.until_told("message.requested", message_id=marker)
    assert len(world.told("message.requested", workspace_id=tenant.workspace_id)) == 2


async def test_a_key_that_a_crash_left_is_taken_up_with_its_message_id(make_world: Build) -> None:
    world = await make_world(gateway_lease_seconds=0.3)
    tenant = await world.tenant()
    key = {"Idempotency-Key": uuid4().hex}
    first = (await world.send(tenant, **key)).json()
    # As a process leaves it that dies between the reservation and its confirmation.
    await world.rows(
        "update accepted set state = 'reserved', lease_until = now() + interval '0.3 s' where id = $1 returning id",
        first["id"],
    )
    assert (await world.send(tenant, **key)).status_code == 409
    again = await until(lambda: _accepted(world, tenant, key))
    assert again["id"] == first["id"]
    told = await world.until_told("message.requested", 2, workspace_id=tenant.workspace_id)
    # Asked for twice under one id: chat stores it once.
    assert {each["message_id"] for each in told} == {first["id"]}


async def _accepted(world: World, tenant: object, key: dict[str, str]) -> dict[str, str] | None:
    answer = await world.send(tenant, **key)  # type: ignore[arg-type]
    return answer.json() if answer.status_code == 202 else None


async def test_a_bad_key_is_refused_by_name(world: World) -> None:
    tenant = await world.tenant()
    for key in ("", "x" * 256, "a\tb"):
        answer = await world.send(tenant, **{"Idempotency-Key": key})
        assert answer.status_code == 422, key
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_keys_older_than_a_day_are_forgotten(world: World) -> None:
    tenant = await world.tenant()
    sent = (await world.send(tenant)).json()["id"]
    await world.rows("update accepted set created_at = now() - interval '25 hours' where id = $1 returning id", sent)
    from blazz_gateway.acceptance import Acceptance

    acceptance = Acceptance(world.gateway.database, world.gateway.batcher, lease_seconds=1)
    await acceptance.forget(24)
    assert not await world.rows("select 1 from accepted where id = $1", sent)
