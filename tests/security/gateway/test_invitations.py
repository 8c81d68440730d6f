"""Nobody becomes a member, or gets a login, but by their own word."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from blazz_chassis.errors import Conflict
from blazz_gateway.administration import create_workspace

from tests.integration.gateway.conftest import PASSWORD, Build, World

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}


def address() -> str:
    return f"{uuid4().hex[:12]}@victim.com"


async def members(world: World, headers: dict[str, str]) -> list[str]:
    return [each["email"] for each in (await world.http.get("/api/v1/members", headers=headers)).json()["items"]]


async def test_who_invites_sets_no_password_and_makes_no_login(world: World) -> None:
    tenant, email = await world.tenant(), address()
    owner = await world.bearer(tenant.email)
    asked = {"email": email, "password": "of my choosing", "role": "agent"}
    assert (await world.http.post("/api/v1/members", json=asked, headers=owner)).status_code == 422
    await world.invitation(tenant, email)
    assert not await world.rows("select 1 from users where email = $1", email)
    assert await members(world, owner) == [tenant.email]


async def test_an_invited_person_chooses_their_own_password_and_belongs_then(world: World) -> None:
    tenant, email = await world.tenant(), address()
    token = await world.invitation(tenant, email, "agent")
    nameless = await world.accept(token)
    assert (nameless.status_code, nameless.json()["errors"][0]["field"]) == (422, "password")
    joined = await world.accept(token, password="my very own", name="Bob")
    assert (joined.status_code, joined.json()["role"]) == (200, "agent")
    assert joined.json()["workspace_id"] == str(tenant.workspace_id)
    assert (await world.login(email, "my very own")).status_code == 200
    owner = await world.bearer(tenant.email)
    assert await members(world, owner) == [tenant.email, email]
    actions = [e["action"] for e in (await world.http.get("/api/v1/audit", headers=owner)).json()["items"]]
    assert {"member.invited", "member.added"} <= set(actions)


async def test_a_login_that_somebody_made_under_anothers_address_reaches_no_second_workspace(world: World) -> None:
    attacker, second, email = await world.tenant(), await world.tenant(), address()
    assert (await world.accept(await world.invitation(attacker, email), password="of the attacker")).status_code == 200
    token = await world.invitation(second, email, "admin")
    squatted = {"Authorization": f"Bearer {(await world.login(email, 'of the attacker')).json()['access_token']}"}
    told = (await world.http.get("/api/v1/me", headers=squatted)).json()
    assert [each["id"] for each in told["workspaces"]] == [str(attacker.workspace_id)]
    # The person holds the token, and not the login: they do not get in with another password either.
    assert (await world.accept(token, password="the person's")).status_code == 401
    assert email not in await members(world, await world.bearer(second.email))


async def test_an_invitation_changes_nothing_for_somebody_with_a_login_until_they_accept(world: World) -> None:
    one, two = await world.tenant("One"), await world.tenant("Two")
    headers = await world.bearer(one.email)
    token = await world.invitation(two, one.email)
    assert (await world.http.post("/api/v1/messages", json=TEXT, headers=headers)).status_code == 202
    assert await members(world, await world.bearer(two.email)) == [two.email]
    unproved = await world.accept(token)
    assert (unproved.status_code, unproved.json()["code"]) == (401, "login_needed")
    wrong = await world.accept(token, password="a wrong one")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    stranger = await world.accept(token, await world.bearer(two.email))
    assert (stranger.status_code, stranger.json()["code"]) == (403, "invitation_foreign")
    assert (await world.accept(token, one.headers)).status_code == 403
    assert (await world.accept(token, password=PASSWORD, name="not their name")).status_code == 200
    assert sorted(await members(world, await world.bearer(two.email))) == sorted([one.email, two.email])


async def test_guesses_at_an_invitation_count_as_failed_logins(make_world: Build) -> None:
    world = await make_world(gateway_login_rate=2)
    one, two = await world.tenant(), await world.tenant()
    token = await world.invitation(two, one.email)
    codes = [(await world.accept(token, password=f"guess number {each}")).status_code for each in range(3)]
    assert codes == [401, 401, 429]


async def test_what_the_answer_to_an_invitation_is_does_not_tell_whether_there_is_a_login(world: World) -> None:
    one, two = await world.tenant(), await world.tenant()
    headers = await world.bearer(two.email)
    shapes = [
        sorted(
            (await world.http.post("/api/v1/members", json={"email": email, "role": "viewer"}, headers=headers)).json()
        )
        for email in (one.email, address())
    ]
    assert shapes[0] == shapes[1]


async def test_an_invitation_is_good_once_and_only_its_hash_is_stored(world: World) -> None:
    tenant, email = await world.tenant(), address()
    token = await world.invitation(tenant, email)
    stored = str(await world.rows("select * from invitations where workspace_id = $1", tenant.workspace_id))
    assert token not in stored
    assert (await world.accept(token, password=PASSWORD)).status_code == 200
    again = await world.accept(token, password=PASSWORD)
    assert (again.status_code, again.json()["code"]) == (404, "invitation_invalid")
    refused = await world.http.post(
        "/api/v1/members", json={"email": email, "role": "owner"}, headers=await world.bearer(tenant.email)
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "already_member")


@pytest.mark.parametrize("end", ["too old", "withdrawn", "invited again", "inviter put out"])
async def test_an_invitation_ends(world: World, end: str) -> None:
    tenant, email = await world.tenant(), address()
    owner = await world.bearer(tenant.email)
    admin_id, admin = await world.member(tenant, "admin")
    made = (await world.http.post("/api/v1/members", json={"email": email, "role": "agent"}, headers=admin)).json()
    listed = (await world.http.get("/api/v1/invitations", headers=owner)).json()["items"]
    assert [(each["id"], each["email"], "token" in each) for each in listed] == [(made["id"], email, False)]
    if end == "too old":
        rows = await world.rows(
            "update invitations set expires_at = expires_at - $2::interval where workspace_id = $1 "
            "returning expires_at < now()",
            tenant.workspace_id,
            timedelta(days=7),
        )
        assert [tuple(row) for row in rows] == [(True,)]
    elif end == "withdrawn":
        assert (await world.http.delete(f"/api/v1/invitations/{made['id']}", headers=owner)).status_code == 204
    elif end == "invited again":
        await world.invitation(tenant, email)
    else:
        assert (await world.http.delete(f"/api/v1/members/{admin_id}", headers=owner)).status_code == 204
    answer = await world.accept(made["token"], password=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (404, "invitation_invalid")


async def test_an_admin_invites_no_owner(world: World) -> None:
    tenant = await world.tenant()
    _, admin = await world.member(tenant, "admin")
    answer = await world.http.post("/api/v1/members", json={"email": address(), "role": "owner"}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (403, "owner_required")


async def test_a_page_of_a_stranger_accepts_nothing_with_ones_cookies(world: World) -> None:
    one, two = await world.tenant(), await world.tenant()
    token = await world.invitation(two, one.email)
    async with httpx.AsyncClient(base_url=world.http.base_url) as browser:
        login = {"email": one.email, "password": PASSWORD, "mode": "cookie"}
        csrf = (await browser.post("/api/v1/auth/login", json=login)).json()["csrf_token"]
        foreign = await browser.post("/api/v1/invitations/accept", json={"token": token})
        own = await browser.post("/api/v1/invitations/accept", json={"token": token}, headers={"X-XSRF-TOKEN": csrf})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "csrf")
    assert own.status_code == 200


async def test_an_operators_workspace_goes_to_no_login_of_somebody_else(world: World) -> None:
    attacker, email = await world.tenant(), address()
    await world.accept(await world.invitation(attacker, email), password="of the attacker")
    with pytest.raises(Conflict):
        await create_workspace(world.gateway, name="Bob's", email=email, password_text="the person's")
