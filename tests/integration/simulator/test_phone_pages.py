"""The pages, as a browser loads them, and their live events."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.polling import until

from .conftest import Receiver, Simulator


@asynccontextmanager
async def events(simulator: Simulator, path: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Collect server-sent events while the block runs; it is listening when the block begins."""
    seen: list[dict[str, Any]] = []
    ready = asyncio.Event()

    async def read(answer: aiohttp.ClientResponse) -> None:
        async for raw in answer.content:
            line = raw.decode()
            if line.startswith("retry:"):
                ready.set()
            if line.startswith("data:"):
                seen.append(json.loads(line[5:]))

    async with simulator.http.get(f"{simulator.url}{path}") as answer:
        assert answer.content_type == "text/event-stream"
        task = asyncio.create_task(read(answer))
        await ready.wait()
        yield seen
        task.cancel()


async def test_every_page_and_every_file_it_names_is_served(simulator: Simulator) -> None:
    seen, todo = set(), {"/", "/phones", f"/phones/{simulator.customer}"}
    while todo:
        path = todo.pop()
        seen.add(path)
        async with simulator.http.get(simulator.url + path) as answer:
            assert answer.status == 200, path
            text = await answer.text()
        if path.startswith(("/_sim", "/static/style")):
            continue
        assert "https://cdn" not in text
        named = set(re.findall(r'(?:href|src)="(/[\w./]*)"', text))
        named |= {f"/static/{name}" for name in re.findall(r'from "\./([\w.]+)"', text)}
        todo |= named - seen
    assert "/static/phone.js" in seen
    assert "/static/bubble.js" in seen
    assert "/_sim/faults" in seen


async def test_a_message_and_its_ticks_appear_as_they_happen(simulator: Simulator) -> None:
    async with events(simulator, f"/phones/{simulator.customer}/events") as seen:
        wamid = await simulator.text("live")
        await simulator.text("somebody else's", to="4915112345679")
        await until(lambda: len(seen) >= 4)
    assert [event["event"] for event in seen] == ["message", "status", "status", "status"]
    assert seen[0]["message"]["text"] == {"body": "live"}
    assert [event["status"] for event in seen[1:]] == ["sent", "delivered", "read"]
    assert {event.get("id", wamid) for event in seen} == {wamid}


async def test_typing_is_shown(simulator: Simulator) -> None:
    _, written = await simulator.control("POST", f"phones/{simulator.customer}/messages", {"text": "hi"})
    async with events(simulator, f"/phones/{simulator.customer}/events") as seen:
        read = {"status": "read", "message_id": written["id"], "typing_indicator": {"type": "text"}}
        await simulator.post(read)
        await until(lambda: len(seen) == 2)
    assert [event["event"] for event in seen] == ["status", "typing"]


async def test_the_list_hears_of_every_phone(simulator: Simulator) -> None:
    async with events(simulator, "/phones/events") as seen:
        for number in ("4915112345671", "4915112345672"):
            await simulator.text(to=number)
        await until(lambda: len([event for event in seen if event["event"] == "message"]) == 2)
    assert {event["number"] for event in seen} == {"4915112345671", "4915112345672"}


async def test_opening_the_chat_reads_it_when_read_does_not_come_by_itself(
    simulator: Simulator, receiver: Receiver
) -> None:
    await simulator.control("PUT", "statuses", {"statuses": ["sent", "delivered"], "delays": {"delivered": 0.01}})
    wamid = await simulator.text()
    await until(lambda: len(receiver.statuses(wamid)) == 2)
    path = f"phones/{simulator.customer}/read"
    async with events(simulator, f"/phones/{simulator.customer}/events") as seen:
        assert (await simulator.control("POST", path, {}))[1] == {"read": [wamid]}
        await until(lambda: seen)
        assert (seen[0]["event"], seen[0]["status"]) == ("status", "read")
    assert (await simulator.control("POST", path, {}))[1] == {"read": []}
    await until(lambda: len(receiver.statuses(wamid)) == 3)
    assert receiver.statuses(wamid)[-1]["status"] == "read"


async def test_the_pages_can_show_media_without_a_token(simulator: Simulator) -> None:
    _, upload = await simulator.upload(b"%PDF-1.4", "application/pdf")
    async with simulator.http.get(f"{simulator.url}/_sim/media/{upload['id']}") as answer:
        assert (answer.status, await answer.read()) == (200, b"%PDF-1.4")
