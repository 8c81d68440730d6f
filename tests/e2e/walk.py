"""The newcomer's walk, with public clients only: httpx for the API and the simulator, pusher-js for the websocket.

`python -m tests.e2e.walk [.blazz/stack.json]` does it against a running stack and prints each step with its seconds.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.polling import until
from tests.support.pusher_js import PusherJs, pusher_js

CLONE = Path(__file__).parents[2]
LIMIT = 60.0
"""Seconds that any one step may take before the walk fails; most take a fraction of one."""


@asynccontextmanager
async def listening(stack: dict[str, Any]) -> AsyncIterator[PusherJs]:
    """pusher-js on the demo workspace's private channel."""
    demo, websocket = stack["demo"], stack["websocket"]
    channel = f"private-workspace.{demo['workspace_id']}"
    authorization = {
        "endpoint": f"{stack['gateway_url']}/broadcasting/auth",
        "transport": "ajax",
        "headers": {"Authorization": f"Bearer {demo['api_token']}"},
    }
    options = {
        "wsHost": websocket["host"],
        "wsPort": websocket["port"],
        "forceTLS": False,
        "enabledTransports": ["ws"],
        "disableStats": True,
        "channelAuthorization": authorization,
    }
    async with pusher_js() as listener:
        await listener.command("open", id="walk", kind="pusher", key=websocket["key"], options=options)
        await listener.command("subscribe", id="walk", channel=channel)
        await listener.wait(event="pusher:subscription_succeeded", within=LIMIT)
        yield listener


class Walk:
    """One walk through a running stack."""

    def __init__(self, stack: dict[str, Any], say: Callable[[str], None]) -> None:
        self.stack, self.demo = stack, stack["demo"]
        self._say = say
        self._began = time.monotonic()
        self.phone = self.demo["contact_phone"].lstrip("+")
        headers = {"Authorization": f"Bearer {self.demo['api_token']}"}
        self.api = httpx.AsyncClient(base_url=stack["gateway_url"], headers=headers, timeout=30)
        self.simulator = httpx.AsyncClient(base_url=stack["simulator_url"], timeout=30)

    def done(self, step: str) -> None:
        """Say that a step is done, and how long it took."""
        now = time.monotonic()
        self._say(f"{step} ({now - self._began:.2f} s)")
        self._began = now

    async def log_in(self) -> None:
        """A person logs in with e-mail and password."""
        credentials = {"email": self.demo["email"], "password": self.demo["password"]}
        answer = await self.api.post("/api/v1/auth/login", json=credentials)
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        me = await self.api.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert me.status_code == 200, me.text
        self.done("logged in")

    async def send(self, listener: PusherJs, text: str) -> str:
        """A message goes to the phone, and its ticks come back in order."""
        body = {"to": {"phone": self.demo["contact_phone"]}, "type": "text", "text": {"body": text}}
        body["channel_id"] = self.demo["channel_id"]  # whatever number the contact was last written to from
        answer = await self.api.post("/api/v1/messages", json=body)
        assert answer.status_code == 202, answer.text
        message_id = str(answer.json()["id"])

        async def arrived() -> bool:
            shown = (await self.simulator.get(f"/_sim/phones/{self.phone}/messages")).json()["messages"]
            return any((m.get("biz_opaque_callback_data") or "").startswith(message_id) for m in shown)

        await until(arrived, LIMIT, what="the message on the phone")
        self.done("sent, and shown on the phone")

        def ticks() -> list[str]:
            told = [data["chat"] for data in listener.events("chat.status")]
            return [chat["status"] for chat in told if chat["uuid"] == message_id]

        await until(lambda: "read" in ticks(), LIMIT, what="the read tick")
        assert ticks() == ["sent", "delivered", "read"], ticks()
        self.done("sent → delivered → read over the websocket")
        return message_id

    async def be_answered(self, listener: PusherJs, text: str) -> None:
        """The customer writes back."""
        await self.simulator.post(f"/_sim/phones/{self.phone}/messages", json={"text": text})
        chats = await until(
            lambda: [d["chat"] for d in listener.events("chat.new") if d["chat"]["message"] == text],
            LIMIT,
            what="the answer over the websocket",
        )
        assert [chat["direction"] for chat in chats] == ["inbound"]
        said = await self.api.get(f"/api/v1/contacts/{self.demo['contact_uuid']}/messages")
        assert text in [message["text"] for message in said.json()["items"]]
        self.done("the answer arrived")

    async def send_as_the_old_client_did(self) -> None:
        """`POST /chat/send` still works."""
        body = {"contact_uuid": self.demo["contact_uuid"], "message": "as before", "type": "text"}
        answer = await self.api.post("/chat/send", json=body)
        assert answer.status_code in (200, 202), answer.text
        assert answer.json()["success"] is True
        assert answer.json()["data"]["chat_id"]
        self.done("sent through the old system's route")

    async def campaign(self, listener: PusherJs, recipients: int, prefix: str) -> dict[str, Any]:
        """A list of numbers gets a message each; the count is watched over the websocket."""
        last = await self._ledger_end()
        people = [{"phone": f"+{prefix}{n:06d}", "variables": {"name": f"Customer {n}"}} for n in range(recipients)]
        body = {
            "name": f"Walk {prefix}",
            "channel_id": self.demo["channel_id"],
            "recipients": people,
            "text": {"body": "Hello {{name}}"},
        }
        answer = await self.api.post("/api/v1/campaigns", json=body)
        assert answer.status_code == 202, answer.text
        campaign_id = answer.json()["id"]

        def progress() -> list[dict[str, Any]]:
            told = [data["campaign"] for data in listener.events("campaign.progress")]
            return [campaign for campaign in told if campaign["uuid"] == campaign_id]

        await until(lambda: [p for p in progress() if p["state"] == "completed"], LIMIT, what="the end of the campaign")

        async def all_read() -> Any:
            view = (await self.api.get(f"/api/v1/campaigns/{campaign_id}")).json()
            return view if view["counts"]["read"] == recipients else None

        view = await until(all_read, LIMIT, what="every tick of the campaign")
        entries = await self._ledger_after(last)
        sent = [entry["to"] for entry in entries if entry["to"].startswith(prefix)]
        assert (len(sent), len(set(sent))) == (recipients, recipients), "each number gets exactly one message"
        self.done(f"{recipients} recipients, {len(progress())} progress events")
        return dict(view)

    async def follow_the_feed(self, message_id: str) -> None:
        """The change feed tells the same, once and in order."""
        after, steps = 0, []
        while True:
            page = (await self.api.get("/api/v1/changes", params={"after": after, "limit": 1000})).json()
            cursors = [change["cursor"] for change in page["changes"]]
            assert cursors == list(range(after + 1, after + 1 + len(cursors)))
            steps += [change["data"]["status"] for change in page["changes"] if change["id"] == message_id]
            after = page["next"]
            if not page["more"]:
                break
        assert steps == ["pending", "sent", "delivered", "read"], steps
        self.done(f"the change feed told the same, {after} changes without a gap")

    async def _ledger_end(self) -> int:
        after = 0
        while (page := await self._ledger_page(after))["entries"]:
            after = page["next"]
        return after

    async def _ledger_after(self, after: int) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        while (page := await self._ledger_page(after))["entries"]:
            entries += page["entries"]
            after = page["next"]
        return entries

    async def _ledger_page(self, after: int) -> dict[str, Any]:
        return dict((await self.simulator.get("/_sim/ledger", params={"after": after, "limit": 10000})).json())

    async def close(self) -> None:
        """Close the connections."""
        await self.api.aclose()
        await self.simulator.aclose()


async def walk(stack: dict[str, Any], *, recipients: int = 1000, say: Callable[[str], None] = print) -> None:
    """Do the whole walk. Raises AssertionError at the first thing that is not as the README says."""
    each = Walk(stack, say)
    prefix = f"3197{int(time.time()) % 10000:04d}"  # numbers that no earlier walk has used
    try:
        await each.log_in()
        async with listening(stack) as listener:
            each.done("listening with pusher-js")
            message_id = await each.send(listener, "Hello from Blazz")
            await each.be_answered(listener, f"Hello back, {prefix}")
            await each.send_as_the_old_client_did()
            await each.campaign(listener, recipients, prefix)
            await each.follow_the_feed(message_id)
    finally:
        await each.close()


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else CLONE / ".blazz" / "stack.json"
    asyncio.run(walk(json.loads(where.read_text())))
