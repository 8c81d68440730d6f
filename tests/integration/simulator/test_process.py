"""The simulator as a process: started from the environment, ended by SIGTERM."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from .conftest import Simulator


async def _start(**settings: str) -> Process:
    environment = {**os.environ, **{f"BLAZZ_SIM_{name}": value for name, value in settings.items()}}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "blazz_simulator", env=environment, stderr=PIPE, stdout=PIPE
    )


async def test_it_says_where_it_serves_and_ends_cleanly_on_sigterm(
    http: aiohttp.ClientSession, make_receiver: Callable[..., Any]
) -> None:
    process = await _start(PORT="0", LOG_JSON="true", CALLBACK_URL="http://127.0.0.1:1/hook")
    assert process.stderr is not None
    try:
        ready = orjson.loads(await asyncio.wait_for(process.stderr.readline(), 20))
        assert ready["event"] == "simulator_ready"
        simulator = Simulator(ready["url"], http)
        await simulator.text()
        async with http.get(f"{simulator.url}/phones/events"):  # an open page must not hold it up
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
        lines = [orjson.loads(line) for line in (await process.stderr.read()).splitlines()]
        assert {"event": "simulator_stopping", "webhooks_undelivered": 3, "accepted": 1}.items() <= lines[-1].items()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_wrong_setting_is_named(tmp_path: Any) -> None:
    process = await _start(PORT="many")
    _, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert b"BLAZZ_SIM_PORT" in error
