"""Wrong, missing, stolen, forged: nobody gets in, and nobody learns why."""

import asyncio
import re
import time
from statistics import median
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway.conftest import PASSWORD, Build, World

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}
OPEN = {
    ("post", "/api/v1/auth/login"),
    ("post", "/api/v1/auth/refresh"),
    ("post", "/api/v1/invitations/accept"),
    ("get", "/webhooks/whatsapp/{identifier}"),
    ("post", "/webhooks/whatsapp/{identifier}"),
    ("get", "/livez"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}


async def test_every_route_but_the_open_ones_asks_who_it_is(world: World) -> None:
    document = (await world.http.get("/openapi.json")).json()
    asked = 0
    for path, operations in document["paths"].items():
        for method in operations:
            if (method, path) in OPEN:
                continue
            url = re.sub(r"\{[a-z_]+_id\}", str(uuid4()), path)
            answer = await world.http.request(method, url, json={} if method in ("post", "patch") else None)
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"].startswith("application/problem+json")
            asked += 1
    assert asked > 30


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic abc", "Bearer x", "Bearer blz_", "Bearer blz_" + "A" * 43, "Bearer " + "x" * 6000,
     "Bearer eyJhbGciOiJub25lIn0.e30.", "bearer blr_x"],
)  # fmt: skip
async def test_a_credential_that_is_none_is_401(world: World, header: str) -> None:
    answer = await world.http.get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] in ("unauthorized", "token_invalid")


async def test_a_changed_token_is_nobodys(world: World) -> None:
    tenant = await world.tenant()
    for token in (tenant.token[:-1], tenant.token + "A", tenant.token.swapcase(), tenant.token.replace("blz_", "BLZ_")):
        assert (await world.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_roles_reach_as_far_as_they_say(world: World) -> None:
    tenant = await world.tenant()
    _, viewer = await world.member(tenant, "viewer")
    _, agent = await world.member(tenant, "agent")
    _, admin = await world.member(tenant, "admin")
    # (method, path, body): who is refused. 503 is a service that is away here: they were let through to it.
    table: list[tuple[str, str, Any, set[str]]] = [
        ("GET", "/contacts", None, set()),
        ("GET", "/channels", None, set()),
        ("GET", "/campaigns", None, set()),
        ("POST", "/messages", TEXT, {"viewer"}),
        ("POST", "/contacts", {"phone": "+31612345678"}, {"viewer"}),
        ("POST", "/channels", {}, {"viewer", "agent"}),
        ("PATCH", f"/channels/{uuid4()}", {}, {"viewer", "agent"}),
        ("DELETE", f"/channels/{uuid4()}", None, {"viewer", "agent"}),
        ("PUT", "/templates/x/en", {}, {"viewer", "agent"}),
        ("DELETE", "/templates/x/en", None, {"viewer", "agent"}),
        ("POST", "/templates/sync", {}, {"viewer", "agent"}),
        ("POST", "/campaigns", {}, {"viewer", "agent"}),
        ("POST", f"/campaigns/{uuid4()}/pause", None, {"viewer", "agent"}),
        ("GET", "/tokens", None, {"viewer", "agent"}),
        ("POST", "/tokens", {"name": "x"}, {"viewer", "agent"}),
        ("DELETE", f"/tokens/{uuid4()}", None, {"viewer", "agent"}),
        ("GET", "/members", None, {"viewer", "agent"}),
        ("POST", "/members", {"email": "a@b.test", "role": "viewer"}, {"viewer", "agent"}),
        ("GET", "/invitations", None, {"viewer", "agent"}),
        ("DELETE", f"/invitations/{uuid4()}", None, {"viewer", "agent"}),
        ("GET", "/audit", None, {"viewer", "agent"}),
        ("GET", "/unrecognized", None, {"viewer", "agent"}),
    ]
    for method, path, body, refused in table:
        for role, headers in (("viewer", viewer), ("agent", agent), ("admin", admin)):
            answer = await world.http.request(method, f"/api/v1{path}", json=body, headers=headers)
            if role in refused:
                assert (answer.status_code, answer.json()["code"]) == (403, "role_missing"), (role, method, path)
            else:
                assert answer.status_code not in (401, 403), (role, method, path, answer.text)


async def test_a_token_makes_no_tokens_and_no_members(world: World) -> None:
    tenant = await world.tenant()
    for method, path, body in (
        ("POST", "/tokens", {"name": "x"}),
        ("GET", "/tokens", None),
        ("POST", "/members", {"email": "a@b.test", "role": "owner"}),
    ):
        answer = await world.http.request(method, f"/api/v1{path}", json=body, headers=tenant.headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    owner = await world.bearer(tenant.email)
    asked = {"name": "x", "scopes": ["tokens:write"]}
    answer = await world.http.post("/api/v1/tokens", json=asked, headers=owner)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "scopes")


async def test_a_cookie_alone_changes_nothing(world: World) -> None:
    tenant = await world.tenant()
    async with httpx.AsyncClient(base_url=world.http.base_url) as browser:
        login = {"email": tenant.email, "password": PASSWORD, "mode": "cookie"}
        csrf = (await browser.post("/api/v1/auth/login", json=login)).json()["csrf_token"]
        other = (await world.login(tenant.email, mode="cookie")).json()["csrf_token"]
        for headers in ({}, {"X-XSRF-TOKEN": ""}, {"X-XSRF-TOKEN": "x" * 64}, {"X-XSRF-TOKEN": other}):
            for method, path, body in (
                ("POST", "/api/v1/messages", TEXT),
                ("POST", "/chat/send", {"contact_uuid": str(uuid4()), "message": "x"}),
                ("POST", "/api/v1/tokens", {"name": "x"}),
                ("DELETE", f"/api/v1/tokens/{uuid4()}", None),
                (
                    "POST",
                    "/broadcasting/auth",
                    {"socket_id": "1.1", "channel_name": f"private-chat.{tenant.workspace_id}"},
                ),
                ("POST", "/api/v1/auth/refresh", None),
                ("POST", "/api/v1/auth/logout", None),
            ):
                answer = await browser.request(method, path, json=body, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "csrf"), (path, headers)
        # A cookie planted from a sibling domain, with a header to match, is not the session's.
        browser.cookies.delete("XSRF-TOKEN")
        browser.cookies.set("XSRF-TOKEN", "planted")
        planted = await browser.post("/api/v1/messages", json=TEXT, headers={"X-XSRF-TOKEN": "planted"})
        assert planted.status_code == 403
        browser.cookies.delete("XSRF-TOKEN")
        browser.cookies.set("XSRF-TOKEN", csrf)
        assert (await browser.get("/api/v1/me")).status_code == 200
        assert (await browser.post("/api/v1/messages", json=TEXT, headers={"X-CSRF-TOKEN": csrf})).status_code == 202
        # Refused refreshes used nothing up.
        assert (await browser.post("/api/v1/auth/refresh", headers={"X-XSRF-TOKEN": csrf})).status_code == 200


async def test_an_unknown_user_is_answered_as_slowly_and_in_the_same_words(world: World) -> None:
    tenant = await world.tenant()

    async def attempt(email: str) -> tuple[float, httpx.Response]:
        began = time.perf_counter()
        answer = await world.login(email, "wrong password")
        return time.perf_counter() - began, answer

    known, unknown = [], []
    await attempt("warm@up.test")
    for number in range(7):
        spent, answer = await attempt(tenant.email)
        known.append(spent)
        spent, other = await attempt(f"nobody{number}@example.com")
        unknown.append(spent)
        assert answer.status_code == other.status_code == 401
        assert {k: v for k, v in answer.json().items() if k != "correlation_id"} == {
            k: v for k, v in other.json().items() if k != "correlation_id"
        }
    # Without the decoy an unknown user is answered in a tenth of the time.
    assert 0.5 < median(unknown) / median(known) < 2


async def test_guessing_is_stopped_after_ten_a_minute_and_the_right_password_too(world: World) -> None:
    await world.rows("delete from rate_windows returning subject")
    tenant, other = await world.tenant(), await world.tenant()
    answers = await asyncio.gather(*(world.login(tenant.email, f"wrong {number}") for number in range(15)))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(401), codes.count(429)) == (10, 5)
    assert int(next(answer for answer in answers if answer.status_code == 429).headers["retry-after"]) >= 1
    assert (await world.login(tenant.email)).status_code == 429
    assert (await world.login(other.email)).status_code == 200


async def test_logging_in_often_is_no_guessing(world: World) -> None:
    tenant = await world.tenant()
    codes = [(await world.login(tenant.email)).status_code for _ in range(12)]
    assert codes == [200] * 12


async def test_a_forwarded_address_from_anybody_is_not_believed(world: World) -> None:
    await world.rows("delete from rate_windows returning subject")
    tenant = await world.tenant()
    codes = []
    for number in range(12):
        answer = await world.http.post(
            "/api/v1/auth/login",
            json={"email": tenant.email, "password": "wrong password"},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        )
        codes.append(answer.status_code)
    assert codes == [401] * 10 + [429] * 2
    await world.rows("delete from rate_windows returning subject")


async def test_a_forged_line_before_the_proxys_own_evades_no_limit(make_world: Build) -> None:
    world = await make_world(gateway_login_rate=2, trusted_proxies=1)
    tenant = await world.tenant()
    codes = []
    for number in range(4):
        lines = [("X-Forwarded-For", f"10.0.0.{number}"), ("X-Forwarded-For", f"2001:db8::{number}")]
        asked = {"email": tenant.email, "password": "wrong"}
        codes.append((await world.http.post("/api/v1/auth/login", json=asked, headers=lines)).status_code)
    assert codes == [401, 401, 429, 429]
