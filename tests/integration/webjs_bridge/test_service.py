"""The bridge takes its place in a deployment: it migrates, starts, answers and stops."""

import asyncio
from typing import Any

import httpx
from blazz_webjs_bridge.main import build
from blazz_webjs_bridge.settings import Settings
from pydantic import SecretStr


async def test_it_starts_becomes_ready_and_says_that_it_holds_no_session(vhost: str, make_database: Any) -> None:
    made = await make_database("webjs-bridge")
    service = build(
        Settings(
            env="local",
            http_port=0,
            instance="bridge-1",
            amqp_url=SecretStr(vhost),
            database_api_url=SecretStr(made.api_url),
            database_worker_url=SecretStr(made.worker_url),
        )
    )
    serving = asyncio.create_task(service.serve())
    await asyncio.wait_for(service.started.wait(), 10)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as client:
        async with asyncio.timeout(10):
            while (ready := await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        health = (await client.get("/health")).json()
    service.stop()
    await serving

    assert ready.status_code == 200
    assert health == {"instance": "bridge-1", "version": "0.1.0", "capacity": 0, "sessions": 0}
