"""Logging in, by token and by cookie."""

import httpx

from tests.integration.gateway.conftest import PASSWORD, Build, World

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}


async def me(world: World, headers: dict[str, str]) -> httpx.Response:
    return await world.http.get("/api/v1/me", headers=headers)


async def test_an_api_client_gets_tokens_and_says_who_it_is(world: World) -> None:
    tenant = await world.tenant("Acme")
    answer = await world.login(tenant.email.upper())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.headers.get_list("set-cookie")
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 900
    told = (await me(world, {"Authorization": f"Bearer {body['access_token']}"})).json()
    assert told["email"] == tenant.email
    assert told["role"] == "owner"
    assert told["workspaces"] == [{"id": str(tenant.workspace_id), "name": "Acme", "role": "owner"}]


async def test_a_token_says_who_it_is(world: World) -> None:
    tenant = await world.tenant()
    told = (await me(world, tenant.headers)).json()
    assert (told["kind"], told["workspace_id"], told["role"]) == ("token", str(tenant.workspace_id), None)
    assert "tokens:write" not in told["permissions"]


async def test_passwords_and_secrets_are_stored_as_hashes_only(world: World) -> None:
    tenant = await world.tenant()
    refresh = (await world.login(tenant.email)).json()["refresh_token"]
    (user,) = await world.rows("select password_hash from users where email = $1", tenant.email)
    assert user["password_hash"].startswith("$argon2id$")
    for table in ("users", "sessions", "refresh_tokens", "api_tokens", "audit_log", "outbox"):
        stored = str(await world.rows(f"select to_jsonb(t)::text from {table} t"))
        for secret in (PASSWORD, refresh, tenant.token):
            assert secret not in stored
            assert secret.encode().hex() not in stored


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(world: World) -> None:
    tenant = await world.tenant()
    first = (await world.login(tenant.email)).json()
    second = await world.http.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    headers = {"Authorization": f"Bearer {second.json()['access_token']}"}
    assert (await me(world, headers)).status_code == 200
    reused = await world.http.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")
    # Whoever has the newer one may be the thief: both are out.
    newer = await world.http.post("/api/v1/auth/refresh", json={"refresh_token": second.json()["refresh_token"]})
    assert newer.status_code == 401
    assert (await me(world, headers)).status_code == 401


async def test_logging_out_ends_the_session_at_once(world: World) -> None:
    tenant = await world.tenant()
    body = (await world.login(tenant.email)).json()
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await world.http.post("/api/v1/auth/logout", headers=headers)).status_code == 204
    assert (await me(world, headers)).status_code == 401
    refreshed = await world.http.post("/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert refreshed.status_code == 401


async def test_a_browser_gets_cookies_that_no_script_can_read(world: World) -> None:
    tenant = await world.tenant()
    async with httpx.AsyncClient(base_url=world.http.base_url) as browser:
        answer = await browser.post(
            "/api/v1/auth/login", json={"email": tenant.email, "password": PASSWORD, "mode": "cookie"}
        )
        body = answer.json()
        assert body["access_token"] is None
        assert body["refresh_token"] is None
        cookies = {each.partition("=")[0]: each for each in answer.headers.get_list("set-cookie")}
        assert set(cookies) == {"blazz-access", "blazz-refresh", "XSRF-TOKEN"}
        for name in ("blazz-access", "blazz-refresh"):
            assert "HttpOnly" in cookies[name]
        assert "HttpOnly" not in cookies["XSRF-TOKEN"]
        assert "SameSite=strict" in cookies["blazz-refresh"]
        assert "Path=/api/v1/auth" in cookies["blazz-refresh"]
        assert (await browser.get("/api/v1/me")).json()["email"] == tenant.email
        csrf = {"X-XSRF-TOKEN": body["csrf_token"]}
        assert (await browser.post("/api/v1/messages", json=TEXT, headers=csrf)).status_code == 202
        refreshed = await browser.post("/api/v1/auth/refresh", headers=csrf)
        assert refreshed.status_code == 200, refreshed.text
        assert refreshed.json()["refresh_token"] is None
        assert (await browser.get("/api/v1/me")).status_code == 200
        assert (await browser.post("/api/v1/auth/logout", headers=csrf)).status_code == 204
        assert not list(browser.cookies.jar)
        assert (await browser.get("/api/v1/me")).status_code == 401


async def test_in_production_the_cookies_are_for_tls_and_this_host_alone(make_world: Build) -> None:
    world = await make_world(env="production")
    tenant = await world.tenant()
    answer = await world.login(tenant.email, mode="cookie")
    cookies = answer.headers.get_list("set-cookie")
    assert {each.partition("=")[0] for each in cookies} == {
        "__Host-blazz-access",
        "__Secure-blazz-refresh",
        "XSRF-TOKEN",
    }
    assert all("Secure" in each for each in cookies)


async def test_somebody_of_two_workspaces_names_one(world: World) -> None:
    one, two = await world.tenant("One"), await world.tenant("Two")
    headers = await world.bearer(one.email)
    assert (await world.accept(await world.invitation(two, one.email), headers)).status_code == 200
    unnamed = await world.http.post("/api/v1/messages", json=TEXT, headers=headers)
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "workspace_unnamed")
    told = (await me(world, headers)).json()
    assert told["workspace_id"] is None
    assert [each["name"] for each in told["workspaces"]] == ["One", "Two"]
    mine = await world.http.post(
        "/api/v1/messages", json=TEXT, headers={**headers, "X-Workspace-Id": str(one.workspace_id)}
    )
    assert mine.status_code == 202
    other = await world.http.post(
        "/api/v1/messages", json=TEXT, headers={**headers, "X-Workspace-Id": str(two.workspace_id)}
    )
    assert (other.status_code, other.json()["code"]) == (403, "role_missing")


async def test_a_login_is_in_the_audit_log(world: World) -> None:
    tenant = await world.tenant()
    headers = await world.bearer(tenant.email)
    page = (await world.http.get("/api/v1/audit?action=user.logged_in", headers=headers)).json()
    assert [entry["actor_id"] for entry in page["items"]] == [str(tenant.user_id)]
