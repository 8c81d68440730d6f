"""The command line makes the first workspace, and finds it again."""

import asyncio
import json
import os
import sys
from typing import Any

from tests.integration.gateway.conftest import World


async def run(world: World, *arguments: str, password: str | None = None, entered: str = "") -> tuple[int, str, str]:
    environment = {
        **os.environ,
        "BLAZZ_ENV": "local",
        "BLAZZ_DATABASE_API_URL": world.database.api_url,
        "BLAZZ_DATABASE_WORKER_URL": world.database.worker_url,
        "BLAZZ_AMQP_URL": world.vhost,
    }
    if password is not None:
        environment["BLAZZ_OWNER_PASSWORD"] = password
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "blazz_gateway", *arguments),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(entered.encode())
    return process.returncode or 0, out.decode(), err.decode()


async def made(world: World, *arguments: str, **given: str) -> dict[str, Any]:
    code, out, err = await run(world, *arguments, "--json", **given)
    assert code == 0, err
    return dict(json.loads(out))


async def test_a_workspace_is_made_once_and_announced_and_its_owner_can_log_in(world: World) -> None:
    asked = ("create-workspace", "--name", "Demo", "--email", "Owner@Demo.test")
    first = await made(world, *asked, "--token", "demo", password="a good password")
    again = await made(world, *asked, "--password-stdin", entered="a good password\n")
    assert (first["created"], again["created"]) == (True, False)
    assert first["workspace_id"] == again["workspace_id"]
    told = (await world.until_told("workspace.updated", workspace_id=first["workspace_id"]))[0]
    assert (told["display_name"], told["unsettled"], told["revision"]) == ("Demo", "resend", 1)
    assert (await world.login("owner@demo.test", "a good password")).status_code == 200
    headers = {"Authorization": f"Bearer {first['api_token']}"}
    assert (await world.http.get("/api/v1/me", headers=headers)).json()["workspace_id"] == first["workspace_id"]
    assert not await world.rows("select 1 from outbox")


async def test_a_token_is_made_for_a_workspace_that_is_there(world: World) -> None:
    tenant = await world.tenant()
    new = await made(world, "create-token", "--workspace", str(tenant.workspace_id), "--name", "x", "--rate-limit", "1")
    headers = {"Authorization": f"Bearer {new['token']}"}
    text = {"to": {"phone": "+31612345678"}, "type": "text", "text": {"body": "hello"}}
    codes = [(await world.http.post("/api/v1/messages", json=text, headers=headers)).status_code for _ in range(2)]
    assert codes == [202, 429]
    code, out, err = await run(
        world, "create-token", "--workspace", "00000000-0000-0000-0000-000000000001", "--name", "x"
    )
    assert (code, out) == (2, "")
    assert "no such workspace" in err


async def test_a_weak_password_is_refused_with_a_sentence(world: World) -> None:
    code, _, err = await run(world, "create-workspace", "--name", "A", "--email", "a@b.test", password="short")
    assert code == 2
    assert "8 to 256 characters" in err
    assert "Traceback" not in err


async def test_a_password_is_no_argument_which_everybody_on_the_machine_can_read(world: World) -> None:
    asked = ("create-workspace", "--name", "A", "--email", "a@b.test")
    code, _, err = await run(world, *asked, "--password", "a good password")
    assert (code, "unrecognized arguments" in err) == (2, True)
    code, _, err = await run(world, *asked)
    assert (code, "--password-stdin" in err) == (2, True)


async def test_a_login_of_somebody_else_gets_no_workspace(world: World) -> None:
    tenant = await world.tenant()
    code, _, err = await run(
        world, "create-workspace", "--name", "A", "--email", tenant.email, password="not their password"
    )
    assert (code, "another password" in err) == (2, True)
