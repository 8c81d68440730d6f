"""No workspace reaches into another, by any address, header, token or row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.gateway.conftest import World

TEXT = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}
SCOPED = (
    "workspaces",
    "memberships",
    "invitations",
    "api_tokens",
    "accepted",
    "audit_log",
    "channels",
    "socket_auths",
    "outbox",
    "jobs",
)
PEOPLE = ("users", "sessions", "refresh_tokens", "rate_windows")


@asynccontextmanager
async def rolled_back(connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """A transaction that leaves nothing."""
    transaction = connection.transaction()
    await transaction.start()
    yield
    await transaction.rollback()


async def filled(world: World) -> tuple[Any, Any]:
    """Two workspaces with a row in each table."""
    tenants = (await world.tenant(), await world.tenant())
    for tenant in tenants:
        headers = await world.bearer(tenant.email)
        await world.send(tenant, **{"Idempotency-Key": uuid4().hex})
        await world.number(tenant.workspace_id)
        await world.invitation(tenant, f"{uuid4().hex}@example.com")
        channel = {"socket_id": "1.1", "channel_name": f"private-workspace.{tenant.workspace_id}"}
        assert (await world.http.post("/broadcasting/auth", data=channel, headers=headers)).status_code == 200
    return tenants


async def test_the_api_role_sees_one_workspace_only_even_without_a_where(world: World) -> None:
    mine, other = await filled(world)
    connection = await asyncpg.connect(world.database.api_url)
    try:
        for workspace_id in (mine.workspace_id, other.workspace_id):
            async with connection.transaction():
                await connection.execute("select set_config('app.workspace_id', $1, true)", str(workspace_id))
                for table in SCOPED:
                    column = "id" if table == "workspaces" else "workspace_id"
                    seen = {row[0] for row in await connection.fetch(f"select {column} from {table}")}
                    assert seen <= {workspace_id}, table
                    if table not in ("outbox", "jobs"):
                        assert seen, table
        for table in SCOPED:
            assert not await connection.fetch(f"select 1 from {table}"), table
    finally:
        await connection.close()


async def test_the_api_role_writes_into_no_other_workspace(world: World) -> None:
    mine, other = await filled(world)
    connection = await asyncpg.connect(world.database.api_url)
    try:
        for statement in (
            "insert into audit_log values (gen_random_uuid(), $1, 'a', 'b', null, 'c', 'd', '{}', now())",
            "insert into accepted (id, workspace_id, state, answer, created_at) "
            "values (gen_random_uuid(), $1, 'accepted', '{}', now())",
            "insert into api_tokens (id, workspace_id, name, prefix, hash, scopes) "
            "values (gen_random_uuid(), $1, 'x', 'x', 'x', '{}')",
        ):
            async with rolled_back(connection):
                await connection.execute("select set_config('app.workspace_id', $1, true)", str(mine.workspace_id))
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement, other.workspace_id)
        async with connection.transaction():
            await connection.execute("select set_config('app.workspace_id', $1, true)", str(mine.workspace_id))
            for table in ("api_tokens", "accepted", "audit_log", "socket_auths"):
                done = await connection.execute(f"delete from {table} where workspace_id = $1", other.workspace_id)
                assert done == "DELETE 0"
    finally:
        await connection.close()


async def test_the_api_role_has_no_business_with_people(world: World) -> None:
    connection = await asyncpg.connect(world.database.api_url)
    try:
        for table in PEOPLE:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"select 1 from {table}")
    finally:
        await connection.close()


async def test_neither_role_can_lift_row_level_security(world: World) -> None:
    for url in (world.database.api_url, world.database.worker_url):
        connection = await asyncpg.connect(url)
        try:
            row = await connection.fetchrow("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")
            assert tuple(row) == (False, False)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("alter table accepted disable row level security")
        finally:
            await connection.close()


@pytest.mark.parametrize("kind", ["user", "token"])
async def test_a_foreign_workspace_in_the_header_is_refused_everywhere(world: World, kind: str) -> None:
    mine, other = await world.tenant(), await world.tenant()
    theirs = await world.bearer(other.email)
    headers = mine.headers if kind == "token" else await world.bearer(mine.email)
    for workspace_id in (other.workspace_id, uuid4()):
        named = {**headers, "X-Workspace-Id": str(workspace_id)}
        for method, path, body in (
            ("POST", "/api/v1/messages", TEXT),
            ("POST", "/api/v1/send-message", TEXT),
            ("POST", "/chat/send", {"contact_uuid": str(uuid4()), "message": "x"}),
            ("GET", f"/api/v1/messages/{uuid4()}", None),
            ("GET", "/api/v1/contacts", None),
            ("POST", "/api/v1/contacts", {"phone": "+31612345678"}),
            ("GET", f"/api/v1/contacts/{uuid4()}/messages", None),
            ("GET", "/api/v1/changes", None),
            ("GET", "/api/v1/channels", None),
            ("GET", "/api/v1/templates", None),
            ("GET", "/api/v1/templates/order/en", None),
            ("PUT", "/api/v1/templates/order/en", {}),
            ("DELETE", "/api/v1/templates/order/en", None),
            ("POST", "/api/v1/templates/sync", {}),
            ("POST", "/api/v1/media", None),
            ("GET", "/api/v1/campaigns", None),
            ("POST", "/api/v1/campaigns", {}),
            ("GET", "/api/v1/tokens", None),
            ("GET", "/api/v1/members", None),
            ("POST", "/api/v1/members", {"email": "a@b.test", "role": "viewer"}),
            ("GET", "/api/v1/invitations", None),
            ("GET", "/api/v1/audit", None),
            ("GET", "/api/v1/unrecognized", None),
            ("GET", "/api/v1/me", None),
        ):
            answer = await world.http.request(method, path, json=body, headers=named)
            assert (answer.status_code, answer.json()["code"]) == (403, "workspace_forbidden"), path
    # What is sent after it, in every lane that was asked for, arrives after it.
    asked = [await world.send(other), await world.http.post("/api/v1/messages", json=TEXT, headers=theirs)]
    markers = {answer.json()["id"] for answer in asked}
    told = await world.until_told("message.requested", 2, workspace_id=other.workspace_id)
    assert {each["message_id"] for each in told} == markers


async def test_a_foreign_token_or_member_cannot_be_touched(world: World) -> None:
    mine, other = await world.tenant(), await world.tenant()
    headers = await world.bearer(mine.email)
    theirs = (await world.rows("select id from api_tokens where workspace_id = $1", other.workspace_id))[0]["id"]
    assert (await world.http.delete(f"/api/v1/tokens/{theirs}", headers=headers)).status_code == 404
    member = f"/api/v1/members/{other.user_id}"
    assert (await world.http.delete(member, headers=headers)).status_code == 404
    assert (await world.http.patch(member, json={"role": "viewer"}, headers=headers)).status_code == 404
    await world.invitation(other, "a@b.test")
    invited = (await world.rows("select id from invitations where workspace_id = $1", other.workspace_id))[0]["id"]
    assert (await world.http.delete(f"/api/v1/invitations/{invited}", headers=headers)).status_code == 404
    assert (await world.send(other)).status_code == 202


@pytest.mark.parametrize("kind", ["private-workspace", "presence-workspace", "private-chat"])
async def test_no_socket_joins_a_foreign_workspace(world: World, kind: str) -> None:
    mine, other = await world.tenant(), await world.tenant()
    for headers in (mine.headers, await world.bearer(mine.email)):
        for workspace_id in (other.workspace_id, uuid4()):
            body = {"socket_id": "1.1", "channel_name": f"{kind}.{workspace_id}"}
            for more in ({"data": body}, {"json": body}):
                named = {**headers, "X-Workspace-Id": str(mine.workspace_id)}
                answer = await world.http.post("/broadcasting/auth", headers=named, **more)  # type: ignore[arg-type]
                assert answer.status_code == 403
                assert "auth" not in answer.json()
    assert not await world.rows("select 1 from socket_auths where workspace_id = $1", other.workspace_id)


async def test_a_webhook_of_one_workspace_says_nothing_about_anothers_number(world: World) -> None:
    mine, other = await world.tenant(), await world.tenant()
    own, foreign = await world.number(mine.workspace_id), await world.number(other.workspace_id)

    def change(phone_number_id: str, status: str = "read") -> dict[str, Any]:
        item = {"id": "wamid.x", "status": status, "timestamp": "1698266945", "recipient_id": "31612345678"}
        value = {"metadata": {"phone_number_id": phone_number_id}, "statuses": [item]}
        return {"field": "messages", "value": value}

    body = {"entry": [{"changes": [change(own.phone_number_id), change(foreign.phone_number_id)]}]}
    for _ in range(3):
        answer = await world.webhook(own, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "number_forbidden")
    # Nothing of it, not even what was our own: what comes after it is the first that is told.
    for number in (own, foreign):
        marker = {"entry": [{"changes": [change(number.phone_number_id, "delivered")]}]}
        assert (await world.webhook(number, marker)).status_code == 200
        (told,) = await world.until_told("provider.status", workspace_id=number.workspace_id)
        assert [item["status"] for item in told["items"]] == ["delivered"]
    audited = await world.rows("select workspace_id, data from audit_log where action = 'webhook.foreign_number'")
    assert [(row["workspace_id"], row["data"]) for row in audited if row["workspace_id"] == mine.workspace_id] == [
        (mine.workspace_id, {"phone_number_id": foreign.phone_number_id})
    ]


async def test_another_channels_secret_signs_nothing(world: World) -> None:
    mine, other = await world.tenant(), await world.tenant()
    own, foreign = await world.number(mine.workspace_id), await world.number(other.workspace_id)
    assert (await world.webhook(own, {}, secret=foreign.app_secret)).status_code == 403


async def test_a_token_of_a_session_that_ended_long_ago_is_nobody(world: World) -> None:
    tenant = await world.tenant()
    headers = await world.bearer(tenant.email)
    past = datetime.now(UTC) - timedelta(days=1)
    await world.rows("update sessions set expires_at = $2 where user_id = $1 returning id", tenant.user_id, past)
    assert (await world.http.get("/api/v1/me", headers=headers)).status_code == 401
