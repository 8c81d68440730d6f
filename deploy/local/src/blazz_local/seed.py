"""The demo workspace, made through the services' own interfaces.

Done again at every start: what is there is found and kept (`.blazz/secrets.json` remembers the token, which the gateway
shows only once), so that a second `make up` has the same workspace, token and channel.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from blazz_local.errors import SeedFailed
from blazz_local.services import ACCESS_TOKEN, PHONE_NUMBER_ID, SIMULATOR, WABA_ID, Site
from blazz_local.supervisor import Say

EMAIL = "owner@demo.blazz.test"
CONTACT_PHONE = "+31612345678"
DISPLAY_PHONE_NUMBER = "+15550100001"
NO_LIMITS = {"messages_per_second": None, "pair_seconds": None, "recipients_per_day": None}


@dataclass(frozen=True, slots=True)
class Demo:
    """What a newcomer and the tests need to use the demo workspace."""

    workspace_id: str
    email: str
    password: str
    api_token: str
    channel_id: str
    phone_number_id: str
    webhook_identifier: str
    verify_token: str
    app_secret: str
    contact_uuid: str
    contact_phone: str

    def described(self) -> dict[str, str]:
        """As `stack.json` holds it."""
        return asdict(self)


async def seed(site: Site, say: Say = print) -> Demo:
    """Make what is missing of the demo. Raises `SeedFailed` with the answer that was not as expected."""
    keys = site.credentials
    password = keys.password("demo_password")
    identity = keys.get("demo_identity")
    if isinstance(identity, dict) and await _knows(site, identity["api_token"]):
        say("the demo workspace is there")
    else:
        say("creating the demo workspace ...")
        identity = await _gateway(
            site, "create-workspace", "--name", "Demo", "--email", EMAIL, "--token", "demo", password=password
        )
        keys.keep("demo_identity", identity)
    headers = {"Authorization": f"Bearer {identity['api_token']}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=30)) as session:
        channel = await _channel(site, session)
        contact = await _call(
            session, "POST", f"{site.url('gateway')}/api/v1/contacts", {"phone": CONTACT_PHONE, "name": "Ada Demo"}
        )
    keys.keep("webhook_identifier", channel["webhook_identifier"])
    return Demo(
        workspace_id=identity["workspace_id"],
        email=EMAIL,
        password=password,
        api_token=identity["api_token"],
        channel_id=channel["id"],
        phone_number_id=PHONE_NUMBER_ID,
        webhook_identifier=channel["webhook_identifier"],
        verify_token=keys.password("verify_token"),
        app_secret=keys.password("app_secret"),
        contact_uuid=contact["id"],
        contact_phone=CONTACT_PHONE,
    )


async def check_webhook(site: Site) -> None:
    """Let the simulator do Meta's handshake with the demo's webhook. Raises `SeedFailed` when it fails."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        answer = await _call(session, "POST", f"{site.url(SIMULATOR)}/_sim/accounts/{PHONE_NUMBER_ID}/verify", {})
    if not answer["verified"]:
        raise SeedFailed(f"the gateway does not take the simulator's webhooks: {answer['reason']}")


async def _knows(site: Site, token: str) -> bool:
    """Whether the token still works: somebody may have revoked it, or removed the database."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=30)) as session,
        session.get(f"{site.url('gateway')}/api/v1/channels") as response,
    ):
        return response.status == 200


async def _channel(site: Site, session: aiohttp.ClientSession) -> dict[str, Any]:
    url = f"{site.url('gateway')}/api/v1/channels"
    known = await _call(session, "GET", url)
    for channel in known["items"]:
        if channel["phone_number_id"] == PHONE_NUMBER_ID:
            return dict(channel)
    return await _call(
        session,
        "POST",
        url,
        {
            "provider": "meta",
            "name": "Demo number",
            "phone_number_id": PHONE_NUMBER_ID,
            "waba_id": WABA_ID,
            "display_phone_number": DISPLAY_PHONE_NUMBER,
            "access_token": ACCESS_TOKEN,
            "app_secret": site.credentials.password("app_secret"),
            "verify_token": site.credentials.password("verify_token"),
            "limits": NO_LIMITS,
        },
    )


async def _call(
    session: aiohttp.ClientSession, method: str, url: str, body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    async with session.request(method, url, json=body) as response:
        text = await response.text()
        if response.status >= 400:
            raise SeedFailed(f"{method} {url} answered {response.status}: {text[:500]}")
        return dict(json.loads(text))


async def _gateway(site: Site, *arguments: str, password: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "blazz_gateway", *arguments, "--json"),
        env=site.environment("gateway") | {"BLAZZ_OWNER_PASSWORD": password},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise SeedFailed(f"blazz_gateway {arguments[0]} ended with {process.returncode}:\n{errors.decode()[-2000:]}")
    return dict(json.loads(output))
