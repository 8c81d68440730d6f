"""However many sockets somebody has admitted: their access ends, and what is stored and told of it has a bound."""

from typing import Any

from blazz_gateway import socket

from tests.integration.gateway.conftest import Build, World
from tests.support.polling import until

FILL = """
insert into socket_auths (socket_id, workspace_id, credential_id, actor_id, created_at)
select n || '.1', $1, $2, $2, now() - make_interval(secs => $3 - n) from generate_series(1, $3::int) as n returning 1
"""


async def token(world: World, tenant: Any) -> tuple[str, dict[str, str]]:
    owner = await world.bearer(tenant.email)
    made = (await world.http.post("/api/v1/tokens", json={"name": "t"}, headers=owner)).json()
    return made["id"], {"Authorization": f"Bearer {made['token']}"}


async def admit(world: World, headers: dict[str, str], workspace_id: Any, socket_id: str) -> Any:
    asked = {"socket_id": socket_id, "channel_name": f"private-workspace.{workspace_id}"}
    return await world.http.post("/broadcasting/auth", data=asked, headers=headers)


async def test_a_token_with_very_many_sockets_is_revoked_and_they_are_told_of_in_pieces(world: World) -> None:
    tenant = await world.tenant()
    token_id, headers = await token(world, tenant)
    many = 3 * socket.PIECE + 7
    await world.rows(FILL, tenant.workspace_id, token_id, many)
    owner = await world.bearer(tenant.email)
    assert (await world.http.delete(f"/api/v1/tokens/{token_id}", headers=owner)).status_code == 204
    assert (await world.http.get("/api/v1/me", headers=headers)).status_code == 401

    def named() -> set[str]:
        told = world.told("access.revoked", workspace_id=tenant.workspace_id)
        assert all(len(each["socket_ids"]) <= socket.PIECE for each in told)
        return {socket_id for each in told for socket_id in each["socket_ids"]}

    await until(lambda: len(named()) == many)


async def test_access_ends_though_its_sockets_cannot_be_closed_now_and_they_are_closed_later(
    make_world: Build, monkeypatch: Any
) -> None:
    world = await make_world()
    tenant = await world.tenant()
    token_id, headers = await token(world, tenant)
    assert (await admit(world, headers, tenant.workspace_id, "5.5")).status_code == 200
    owner = await world.bearer(tenant.email)
    closing, crashes = socket.close_piece, [1]

    async def crash_once(*arguments: Any) -> Any:
        if crashes:
            crashes.pop()
            raise RuntimeError("the process ends here")
        return await closing(*arguments)

    monkeypatch.setattr(socket, "close_piece", crash_once)
    await world.http.delete(f"/api/v1/tokens/{token_id}", headers=owner)
    assert (await world.http.get("/api/v1/me", headers=headers)).status_code == 401
    (told, *_) = await world.until_told("access.revoked", workspace_id=tenant.workspace_id)
    assert told["socket_ids"] == ["5.5"]


async def test_one_credential_admits_only_so_many_sockets_a_minute(make_world: Build) -> None:
    world = await make_world(gateway_socket_rate=3)
    tenant = await world.tenant()
    _, headers = await token(world, tenant)
    answers = [await admit(world, headers, tenant.workspace_id, f"{each}.1") for each in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["code"] == "rate_limited"
    _, others = await token(world, tenant)
    assert (await admit(world, others, tenant.workspace_id, "9.1")).status_code == 200


async def test_over_so_many_sockets_of_one_credential_the_oldest_are_closed(world: World) -> None:
    tenant = await world.tenant()
    token_id, headers = await token(world, tenant)
    await world.rows(FILL, tenant.workspace_id, token_id, socket.MOST)
    for _ in range(2):  # the second is the same socket again, on another channel
        assert (await admit(world, headers, tenant.workspace_id, "99999.9")).status_code == 200
    (told,) = await world.until_told("access.revoked", workspace_id=tenant.workspace_id)
    assert told["socket_ids"] == ["1.1"]
    open_ones = "select count(*) from socket_auths where credential_id = $1 and revoked_at is null"
    assert (await world.rows(open_ones, token_id))[0][0] == socket.MOST


async def test_the_end_of_access_is_told_again_and_again_but_not_for_ever(make_world: Build) -> None:
    world = await make_world(gateway_revoked_repeat_seconds=0.01)
    tenant = await world.tenant()
    token_id, headers = await token(world, tenant)
    assert (await admit(world, headers, tenant.workspace_id, "5.5")).status_code == 200
    owner = await world.bearer(tenant.email)
    await world.http.delete(f"/api/v1/tokens/{token_id}", headers=owner)
    told = await world.until_told("access.revoked", 3, workspace_id=tenant.workspace_id)
    assert [each["socket_ids"] for each in told[:3]] == [["5.5"]] * 3
    # The socket stays shut out, though its id is admitted once more.
    _, others = await token(world, tenant)
    assert (await admit(world, others, tenant.workspace_id, "5.5")).status_code == 200
    revoked = "select revoked_at is not null, told from socket_auths where credential_id = $1"
    ((marked, _),) = await world.rows(revoked, token_id)
    assert marked
    await world.rows("update socket_auths set told = $2 where credential_id = $1 returning 1", token_id, socket.REPEATS)

    async def forgotten() -> bool:
        async with world.gateway.database.worker() as connection:
            await socket.forget(connection)
        return not await world.rows(revoked, token_id)

    await until(forgotten)
