"""Room is shared: linked sessions before codes that nobody scans, workspaces in turn, none without a limit."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from blazz_chassis.app import Service
from blazz_webjs_bridge.leases import Leases
from blazz_webjs_bridge.session import Session

from tests.integration.webjs_bridge.conftest import World
from tests.support.polling import until

_FREE = """
insert into web_sessions (id, workspace_id, name, options, made, seen_until, start_after, owner, lease_until)
values ($1, $2, 'x', '{}', true, case when $3 then now() end, now() - make_interval(secs => $4),
        $5, case when $5::text is null then null else now() + interval '1 hour' end)
"""


async def put(
    world: World, workspace: UUID, *, linked: bool = False, waits: float = 10, owner: str | None = None
) -> UUID:
    """A session in the database, as if it waited for so many seconds; or with an owner that runs it."""
    session_id = uuid4()
    await world.rows(_FREE, session_id, workspace, linked, waits, owner)
    return session_id


def leases_of(service: Service, instance: str = "here") -> Leases:
    """What an instance takes sessions by."""
    return Leases(service.database, instance=instance, lease=30)


async def test_linked_sessions_are_taken_before_those_that_only_show_a_code(idle_world: World) -> None:
    leases = leases_of(await idle_world.start(webjs_bridge_capacity=0))
    crowd, other = uuid4(), uuid4()
    for _ in range(3):
        await put(idle_world, crowd, waits=100)
    linked = {await put(idle_world, crowd, linked=True, waits=1), await put(idle_world, other, linked=True, waits=1)}
    assert {each.id for each in await leases.take(2, [])} == linked


async def test_a_workspace_with_many_sessions_takes_its_turn(idle_world: World) -> None:
    leases = leases_of(await idle_world.start(webjs_bridge_capacity=0))
    for is_linked in (True, False):
        crowd, small, running = uuid4(), uuid4(), uuid4()
        for _ in range(4):
            await put(idle_world, crowd, linked=is_linked, waits=100)
        await put(idle_world, running, linked=is_linked, owner="elsewhere")
        await put(idle_world, running, linked=is_linked, waits=50)
        await put(idle_world, small, linked=is_linked, waits=1)
        taken: list[Session] = []
        for _ in range(4):
            taken += await leases.take(1, [each.id for each in taken])
        assert [each.workspace_id for each in taken] == [crowd, small, crowd, running]
        await idle_world.rows("delete from web_sessions")


async def test_an_instance_that_restarts_takes_its_own_linked_sessions_first(idle_world: World) -> None:
    leases = leases_of(await idle_world.start(webjs_bridge_capacity=0))
    await put(idle_world, uuid4(), linked=True, waits=100)
    own = await put(idle_world, uuid4(), linked=True, owner="here")
    assert [each.id for each in await leases.take(1, [])] == [own]


async def test_two_instances_never_take_the_same_session(idle_world: World) -> None:
    service = await idle_world.start(webjs_bridge_capacity=0)
    made = {await put(idle_world, uuid4(), linked=bool(n % 2)) for n in range(20)}
    taken = await asyncio.gather(*(leases_of(service, f"instance-{n}").take(5, []) for n in range(6)))
    ids = [each.id for some in taken for each in some]
    assert len(ids) == len(set(ids))
    assert set(ids) <= made


async def test_a_waiting_session_is_told_of_to_one_instance_at_a_time(idle_world: World) -> None:
    service = await idle_world.start(webjs_bridge_capacity=0)
    await put(idle_world, uuid4(), linked=True, waits=10)
    await put(idle_world, uuid4(), linked=False, waits=10)
    await put(idle_world, uuid4(), linked=True, waits=1)
    told = await asyncio.gather(*(leases_of(service, f"instance-{n}").waiting(5, patience=5) for n in range(4)))
    assert sorted(told) == [0, 0, 0, 1]


async def test_a_code_that_nobody_scans_makes_room_for_a_linked_session(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_capacity=1)
    linked = await idle_world.linked("4915120000001")
    await idle_world.api("POST", f"/internal/sessions/{linked}/stop")
    await idle_world.until_state(linked, "stopped")
    code = await idle_world.create()
    await idle_world.until_state(code, "qr")
    await idle_world.api("POST", f"/internal/sessions/{linked}/start")
    await idle_world.until_state(linked, "ready")
    shown = await idle_world.session(code)
    assert (shown["state"], shown["instance"]) == ("starting", None)
    assert shown["cause"].startswith("no room: ")
    assert (await idle_world.api("GET", f"/internal/sessions/{code}/qr")).json()["code"] == "no_code"
    await idle_world.api("POST", f"/internal/sessions/{linked}/stop")
    await idle_world.until_state(code, "qr")


async def test_a_linked_session_gives_its_place_to_none(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_capacity=1)
    running = await idle_world.linked("4915120000002")
    waiting = await put(idle_world, uuid4(), linked=True, waits=100)
    ((lease,),) = await idle_world.rows("select lease_until from web_sessions where id = $1", running)

    async def renewed_twice() -> bool:  # it looks ten times a second, and renews each third of a lease
        rows = await idle_world.rows("select lease_until from web_sessions where id = $1", running)
        return bool(rows[0]["lease_until"] > lease + timedelta(seconds=2))

    await until(renewed_twice, 20)
    assert (await idle_world.session(running))["state"] == "ready"
    ((moved,),) = await idle_world.rows(
        "select start_after > now() - interval '90 s' from web_sessions where id = $1", waiting
    )
    assert not moved, "room was asked for"


async def test_a_code_makes_room_where_memory_is_what_is_full(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_memory=1)
    code = await idle_world.create()  # the first browser is opened: nothing is held yet
    await idle_world.until_state(code, "qr")
    await put(idle_world, uuid4(), linked=True, waits=100)
    await until(lambda: _makes_room(idle_world, code), 20)


async def _makes_room(world: World, code: UUID) -> bool:
    shown = await world.session(code)
    return str(shown["cause"]).startswith("no room: ")


async def test_a_workspace_has_no_more_sessions_than_it_may(idle_world: World) -> None:
    await idle_world.start(webjs_bridge_capacity=0, webjs_bridge_workspace_sessions=2)
    answers = await asyncio.gather(
        *(idle_world.api("POST", "/internal/sessions", json={"name": f"No. {n}"}) for n in range(5))
    )
    assert sorted(each.status_code for each in answers) == [201, 201, 409, 409, 409]
    refused = next(each.json() for each in answers if each.status_code == 409)
    assert refused["code"] == "session_limit"
    assert "delete one" in refused["detail"]
    elsewhere = await idle_world.api("POST", "/internal/sessions", json={}, workspace_id=uuid4())
    assert elsewhere.status_code == 201
    first = next(each.json()["id"] for each in answers if each.status_code == 201)
    await idle_world.api("DELETE", f"/internal/sessions/{first}")

    async def again() -> bool:
        return (await idle_world.api("POST", "/internal/sessions", json={})).status_code == 201

    await until(again, 20)
