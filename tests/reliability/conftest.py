"""A whole stack under load, and the means to break parts of it."""

import asyncio
import itertools
import json
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest_asyncio

from tests.support.polling import until

SERVICES = ("gateway", "chat", "campaign", "webjs-bridge", "notifier")
FINAL = {"read", "failed", "unconfirmed"}
"""The simulator reads everything that it delivers."""
SETTLED = 90.0
"""Seconds within which every message must have its end: an attempt of unknown outcome takes 14 s to be sent again, a
restarted service 10 s to be ready, and this machine may be busy with other things."""

_prefixes = itertools.count(random.randrange(1000, 5000))


@dataclass
class Load:
    """What was asked for, so that it can be compared with what came of it."""

    prefix: str
    messages: dict[str, str] = field(default_factory=dict)
    """Accepted message ids, and the number each goes to."""
    written: list[str] = field(default_factory=list)
    """Texts that customers wrote."""
    session_id: str | None = None
    """The WhatsApp Web session that it goes through, where it is not the demo's number."""
    phone: str | None = None
    """That session's number."""


class Breakable:
    """The stack with its parts' off switches."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        self.demo = stack["demo"]
        self.folder = Path(stack["folder"]) if "folder" in stack else Path(os.environ["BLAZZ_STACK"]).parent
        headers = {"Authorization": f"Bearer {self.demo['api_token']}"}
        limits = httpx.Limits(max_connections=20)
        self.api = httpx.AsyncClient(base_url=stack["gateway_url"], headers=headers, timeout=15, limits=limits)
        self.simulator = httpx.AsyncClient(base_url=stack["simulator_url"], timeout=15, limits=limits)

    # --- breaking things

    def pid(self, name: str) -> int:
        """The pid that serves now."""
        current = json.loads((self.folder / "stack.json").read_text())
        return int(current["processes"][name]["pid"])

    def kill(self, name: str) -> int:
        """kill -9; supervision starts it again."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def crash_at(self, service: str, point: str, nth: int = 1) -> None:
        """Let a service die when it reaches this point for the nth time."""
        (self.folder / "crash" / service).write_text(f"{point}:{nth}")

    async def crashed(self, service: str) -> None:
        """Wait until the armed point was reached: the dying process removes the file."""
        await until(lambda: not (self.folder / "crash" / service).exists(), within=30, what=f"the crash of {service}")

    async def ready(self) -> None:
        """Wait until every service says that it is ready."""
        async with httpx.AsyncClient(timeout=5) as client:

            async def all_ready() -> bool:
                current = json.loads((self.folder / "stack.json").read_text())
                for name in SERVICES:
                    try:
                        answer = await client.get(f"{current['processes'][name]['url']}/readyz")
                    except httpx.HTTPError:
                        return False
                    if answer.status_code != 200:
                        return False
                return True

            await until(all_ready, SETTLED, what="every service ready", every=0.1)

    # --- load

    def load(self) -> Load:
        """A fresh range of numbers."""
        return Load(f"3198{next(_prefixes):04d}{uuid4().int % 100:02d}")

    async def send(self, load: Load, n: int, lane: str = "high") -> str:
        """Ask for one message until it is accepted: a client that retries with its Idempotency-Key."""
        number = f"{load.prefix}{n:04d}"
        body = {"to": {"phone": f"+{number}"}, "type": "text", "text": {"body": f"number {n}"}, "lane": lane}
        if load.session_id is not None:
            body["channel_id"] = load.session_id
        key = f"{load.prefix}-{n}"

        async def accepted() -> Any:
            try:
                answer = await self.api.post("/api/v1/messages", json=body, headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                return None
            assert answer.status_code in (202, 409, 429, 503), answer.text
            return answer.json()["id"] if answer.status_code == 202 else None

        message_id = str(await until(accepted, SETTLED, what=f"message {n}", every=0.1))
        load.messages[message_id] = number
        return message_id

    async def write(self, load: Load, n: int) -> None:
        """One customer writes. WhatsApp keeps the webhook until it gets a 200."""
        text = f"from {load.prefix} {n}"
        body = {"text": text} | ({"to": load.phone} if load.phone else {})
        answer = await self.simulator.post(f"/_sim/phones/{load.prefix}{n:04d}/messages", json=body)
        assert answer.status_code < 300, answer.text
        load.written.append(text)

    async def run(self, load: Load, sends: int, writes: int, meanwhile: Awaitable[Any] | None = None) -> None:
        """Send and write side by side, at most 16 at once, while something happens."""
        places = asyncio.Semaphore(16)

        async def one(work: Callable[[Load, int], Awaitable[Any]], n: int) -> None:
            async with places:
                await work(load, n)

        async with asyncio.TaskGroup() as group:
            if meanwhile is not None:
                group.create_task(_awaited(meanwhile))
            for n in range(max(sends, writes)):
                if n < sends:
                    group.create_task(one(self.send, n))
                if n < writes:
                    group.create_task(one(self.write, n))

    # --- what came of it

    async def rows(self, service: str, sql: str, *arguments: Any) -> list[Any]:
        """Look into a service's database."""
        connection = await asyncpg.connect(self.stack["databases"][service])
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def ledger(self, load: Load) -> list[dict[str, Any]]:
        """What WhatsApp accepted for this load's numbers."""
        entries: list[dict[str, Any]] = []
        after = 0
        while True:
            page = (await self.simulator.get("/_sim/ledger", params={"after": after, "limit": 10000})).json()
            if not page["entries"]:
                return entries
            entries += [entry for entry in page["entries"] if entry["to"].startswith(load.prefix)]
            after = page["next"]

    async def states(self, load: Load) -> dict[str, str]:
        """Each message's state."""
        rows = await self.rows(
            "chat", "select id, status from messages where id = any($1::uuid[])", list(load.messages)
        )
        return {str(row["id"]): row["status"] for row in rows}

    async def _without_end(self, load: Load) -> str:
        """Where those stand that came to no end: at chat, and in the bridge's journal."""
        states = await self.states(load)
        unsettled = {each: states.get(each) for each in load.messages if states.get(each) not in FINAL}
        sends = await self.rows(
            "webjs-bridge",
            "select message_id, attempt, state, ack, settled_at from web_sends where message_id = any($1::uuid[])",
            list(unsettled)[:5],
        )
        journal = [tuple(map(str, row.values())) for row in sends]
        return f"{len(unsettled)} without an end: {dict(list(unsettled.items())[:5])}; journal: {journal}"

    async def verify(self, load: Load) -> Counter[str]:
        """The two promises: nothing accepted is lost, nothing is sent twice. Returns messages by state."""

        async def settled() -> bool:
            try:
                states = await self.states(load)
            except (OSError, asyncpg.PostgresError):
                return False
            return len(states) == len(load.messages) and all(state in FINAL for state in states.values())

        try:
            await until(settled, SETTLED, what="every message at its end", every=0.1)
        except AssertionError:
            raise AssertionError(await self._without_end(load)) from None
        states = await self.states(load)
        # WhatsApp Web echoes no callback data; there each message of a load has a number of its own.
        by_number = {number: message_id for message_id, number in load.messages.items()}
        entries = Counter(
            str(e["biz_opaque_callback_data"]).partition(":")[0]
            if e["via"] == "cloud"
            else by_number.get(e["to"], e["to"])
            for e in await self.ledger(load)
        )
        twice = {i: n for i, n in entries.items() if n > 1}
        assert not twice, f"sent twice: {twice}"
        missing = [i for i, state in states.items() if state in {"delivered", "read"} and entries[i] != 1]
        assert not missing, f"said to be delivered and never sent: {missing}"
        unknown = [i for i in entries if i not in states]
        assert not unknown, f"sent, and not ours: {unknown}"
        await self.verify_written(load)
        return Counter(states.values())

    async def verify_written(self, load: Load) -> None:
        """Every customer's message is stored once."""
        if not load.written:
            return

        async def stored() -> Counter[str]:
            sql = "select text from messages where direction = 'inbound' and text like $1"
            return Counter(row["text"] for row in await self.rows("chat", sql, f"from {load.prefix} %"))

        async def all_stored() -> bool:
            try:
                return set(await stored()) == set(load.written)
            except (OSError, asyncpg.PostgresError):
                return False

        await until(all_stored, SETTLED, what="every written message stored", every=0.1)
        assert (await stored()) == Counter(load.written), "stored more than once"

    async def close(self) -> None:
        """Close the connections."""
        await self.api.aclose()
        await self.simulator.aclose()


async def _awaited(work: Awaitable[Any]) -> None:
    await work


@pytest_asyncio.fixture(loop_scope="session")
async def breakable(stack: dict[str, Any]) -> AsyncIterator[Breakable]:
    """The stack, whole before and after each test."""
    made = Breakable(stack)
    await made.ready()
    yield made
    for armed in (made.folder / "crash").glob("*"):
        armed.unlink()
    await made.simulator.delete("/_sim/faults")
    await made.ready()
    await made.close()
