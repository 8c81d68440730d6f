"""Killed at any point, chat hands a message to its WhatsApp Web session under the attempt that it has."""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.support.polling import until

from .bridge_side import BridgeSide
from .conftest import Build, World

SHORT = {"chat_claim_fresh": 0.5, "chat_provider_timeout": 1}
"""A lease of 2.5 seconds."""


async def killed_at(world: World, point: str) -> None:
    """An instance of its own takes what is there, and dies at this point."""
    plain = {
        f"BLAZZ_{name.upper()}": value.get_secret_value()
        if isinstance(value, SecretStr)
        else json.dumps(value)
        if isinstance(value, tuple | bool)
        else str(value)
        for name, value in world.house.given.items()
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "blazz_chat", env={**os.environ, **plain, "BLAZZ_CRASH_POINT": point}
    )
    try:
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()


async def start_again(world: World) -> None:
    world.chat = await world.house.instance()
    await world.http.aclose()
    world.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.chat.port}")


@pytest.mark.parametrize(
    ("point", "asked"), [("intake.committed", 1), ("dispatch.claimed", 1), ("dispatch.answered", 2),
                         ("results.committed", 1)]
)  # fmt: skip
async def test_a_message_is_sent_once_whenever_its_sender_is_killed(
    make_world: Build, make_bridge: Any, point: str, asked: int
) -> None:
    world = await make_world(**SHORT)
    bridge: BridgeSide = await make_bridge(world, listening=False)
    world.chat.stop()
    await world.house.stopped()
    message_id = await world.send("+31640000001", channel_id=bridge.session_id)
    await killed_at(world, point)
    await start_again(world)
    # The session takes it up only when it has been handed over as often as it will be.
    await until(lambda: _waiting(bridge, asked), what=f"{asked} in the session's queue")
    await bridge.listen()
    sent = await world.until_status(message_id, "sent")
    await until(lambda: len(bridge.asked) == asked)
    assert [(send.message_id, send.attempt) for send in bridge.sent] == [(message_id, 1)]
    assert [(each["number"], each["outcome"]) for each in sent["attempts"]] == [(1, "sent")]
    assert len(world.told("message.sent", message_id)) == 1
    await world.http.aclose()


async def _waiting(bridge: BridgeSide, asked: int) -> bool:
    return await bridge.waiting() >= asked
