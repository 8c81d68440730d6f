"""What an operator does from the command line: the first workspace with its owner, and API tokens.

It needs the database alone. The event goes through the outbox: published here when the broker answers, else by the
relay of the first gateway that runs.
"""

import argparse
import asyncio
import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from blazz_chassis import logging
from blazz_chassis.app import Service
from blazz_chassis.errors import BlazzError, Conflict, Invalid, NotFound
from pydantic import ValidationError

from blazz_gateway import audit, password, token, user, workspace
from blazz_gateway.role import GRANTABLE
from blazz_gateway.settings import GatewaySettings

COMMANDS = ("create-workspace", "create-token")
DEFAULT_RATE = 60
PASSWORD_VARIABLE = "BLAZZ_OWNER_PASSWORD"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made. `rate_per_minute` None: no limit."""

    name: str
    rate_per_minute: int | None


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        settings = GatewaySettings()
        settings.require("database_worker_url", "database_api_url")
        logging.configure(settings, "gateway")
        made = asyncio.run(_run(asked, settings))
    except ValidationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BlazzError as error:
        sys.stderr.write(f"gateway: {error.detail}\n")
        return 2
    if asked.json:
        sys.stdout.write(json.dumps(made) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in made.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blazz_gateway")
    commands = parser.add_subparsers(dest="command", required=True)
    creating = commands.add_parser(
        "create-workspace", help="a workspace and its owner; what is there is found and kept"
    )
    creating.add_argument("--name", required=True)
    creating.add_argument("--email", required=True)
    creating.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password of the owner's login (made where there is none) from the first line of standard "
        f"input; else it is {PASSWORD_VARIABLE}, or asked for in a terminal",
    )
    creating.add_argument("--unsettled", choices=("resend", "unconfirmed"), default="resend")
    creating.add_argument("--token", metavar="NAME", help="also make an API token without rate limit, with all scopes")
    creating.add_argument("--json", action="store_true")
    making = commands.add_parser("create-token", help="an API token with all scopes; its text is shown this once")
    making.add_argument("--workspace", required=True, type=UUID)
    making.add_argument("--name", required=True)
    limit = making.add_mutually_exclusive_group()
    limit.add_argument("--rate-limit", type=int, default=DEFAULT_RATE, help="messages in any 60 seconds")
    limit.add_argument("--no-rate-limit", action="store_true")
    making.add_argument("--json", action="store_true")
    return parser


async def _run(asked: argparse.Namespace, settings: GatewaySettings) -> dict[str, Any]:
    service = Service("gateway", settings)
    try:
        if asked.command == "create-token":
            new = NewToken(asked.name, None if asked.no_rate_limit else asked.rate_limit)
            return await create_token(service, asked.workspace, new)
        password_text = await asyncio.to_thread(_password, from_input=asked.password_stdin)
        made = await create_workspace(
            service, name=asked.name, email=asked.email, password_text=password_text, unsettled=asked.unsettled
        )
        if asked.token:
            new_token = await create_token(service, UUID(made["workspace_id"]), NewToken(asked.token, None))
            made |= {"token_id": new_token["token_id"], "api_token": new_token["token"]}
        return made
    finally:
        await service.publisher.stop()
        await service.database.close()


def _password(*, from_input: bool) -> str:
    """The password; never an argument, which every process of the machine can read. Raises `Invalid` without one."""
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if given := os.environ.get(PASSWORD_VARIABLE):
        return given
    if sys.stdin.isatty():
        return getpass.getpass("Password of the owner's login: ")
    raise Invalid(f"give the password: --password-stdin, or {PASSWORD_VARIABLE}", field="password")


async def create_workspace(
    service: Service, *, name: str, email: str, password_text: str, unsettled: workspace.Unsettled = "resend"
) -> dict[str, Any]:
    """Make the workspace that this person owns, or find it.

    Raises `Invalid`, `Conflict` when their login has another password, `DatabaseUnavailable`.
    """
    if not 0 < len(name.strip()) <= 200:
        raise Invalid("a workspace's name has 1 to 200 characters", field="name")
    plain = user.normal_email(email)
    password.check_strength(password_text)
    hashed = await password.hashed(password_text)
    async with service.database.worker() as connection:
        # Two of these at once for one address: the second waits, and finds what the first made.
        await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", plain)
        owner = await user.by_email(connection, plain)
        # Who had this address first may be somebody else: only the password tells that the login is theirs.
        if owner is not None and not await password.matches(owner.password_hash, password_text):
            raise Conflict("somebody has a login under this address, with another password", field="password")
        if owner is None:
            owner = await user.add(connection, email=plain, name="", password_hash=hashed)
        if owner is None:
            raise Conflict("somebody made a login under this address in this moment; try again")
        found = await workspace.owned_by(connection, owner.id)
        if found is not None:
            return _described(found.id, found.display_name, owner, created=False)
        event = await workspace.create(connection, name.strip(), owner.id, unsettled)
        await audit.note(
            connection,
            event.workspace_id,
            action="workspace.created",
            actor_kind="operator",
            target_kind="workspace",
            target_id=str(event.workspace_id),
            data={"owner": str(owner.id)},
        )
        receipt = await service.outbox.add(connection, [event])
    if service.settings.amqp_url.get_secret_value():
        await service.publisher.start()
        await service.outbox.send(receipt)
    return _described(event.workspace_id, name.strip(), owner, created=True)


async def create_token(service: Service, workspace_id: UUID, new: NewToken) -> dict[str, Any]:
    """Make an API token with all scopes. Raises `NotFound` for the workspace, `Invalid` for the limit."""
    if new.rate_per_minute is not None and new.rate_per_minute <= 0:
        raise Invalid("a rate limit is a positive number", field="rate_limit")
    async with service.database.api(workspace_id) as connection:
        if await connection.fetchval("select 1 from workspaces where id = $1", workspace_id) is None:
            raise NotFound("there is no such workspace")
        made, text = await token.create(
            connection,
            workspace_id=workspace_id,
            name=new.name,
            scopes=sorted(GRANTABLE),
            rate_per_minute=new.rate_per_minute,
            expires_at=None,
            created_by=None,
        )
        await audit.note(
            connection,
            workspace_id,
            action="token.created",
            actor_kind="operator",
            target_kind="token",
            target_id=str(made.id),
            data={"name": new.name},
        )
    return {"token_id": str(made.id), "token": text, "workspace_id": str(workspace_id), "name": made.name}


def _described(workspace_id: UUID, name: str, owner: user.User, *, created: bool) -> dict[str, Any]:
    return {
        "workspace_id": str(workspace_id),
        "name": name,
        "user_id": str(owner.id),
        "email": owner.email,
        "created": created,
    }
