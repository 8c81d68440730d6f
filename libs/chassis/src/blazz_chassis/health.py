"""`/livez`: the loop runs. `/readyz`: what this service needs is there.

Asking the client library whether it is connected is not enough: it said yes in every failure that was tried.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from blazz_chassis.app import Service

Check = Callable[[], Awaitable[object]]
"""Returns when all is well; raises, with a sentence, when not."""

_TIMEOUT = 2.0  # seconds a check may take; probes of orchestrators wait little longer
_REMEMBERED = 0.5  # seconds an answer is given again, so that probes cost nothing
_RELAY_SILENT = 30.0  # seconds without a look at the outbox that mean the relay is stuck


@dataclass(frozen=True, slots=True)
class NotReady(Exception):
    """A check's finding."""

    finding: str

    def __str__(self) -> str:
        return self.finding


class Health:
    """The checks of one service."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self._answer: tuple[float, dict[str, str]] | None = None
        self._asking = asyncio.Lock()

    async def findings(self) -> dict[str, str]:
        """Return what each check found: `ok`, or what is wrong. Checks run at once."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if self._answer is None or now - self._answer[0] > _REMEMBERED:
                names = list(self.checks)
                found = await asyncio.gather(*(self._one(self.checks[name]) for name in names))
                self._answer = (asyncio.get_running_loop().time(), dict(zip(names, found, strict=True)))
            return self._answer[1]

    def forget(self) -> None:
        """Let the next question be asked anew."""
        self._answer = None

    @staticmethod
    async def _one(check: Check) -> str:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await check()
        except TimeoutError:
            return "no answer in time"
        except Exception as error:
            return str(error) or type(error).__name__
        return "ok"


def watch(service: "Service") -> None:
    """Add the checks of what this service has."""
    health = service.health

    async def running() -> None:
        if not service.started.is_set():
            raise NotReady("starting")
        if service.stopping.is_set():
            raise NotReady("stopping")

    async def publisher() -> None:
        if not service.publisher.connected:
            raise NotReady("not connected")
        if service.publisher.blocked:
            raise NotReady("blocked by the broker (memory or disk alarm)")
        if service.publisher.declare_error:
            raise NotReady(f"topology refused: {service.publisher.declare_error}")

    async def consumer() -> None:
        if missing := await service.consumer.missing():
            raise NotReady(f"not consuming {', '.join(missing)}")
        if paused := service.consumer.paused:
            raise NotReady("paused: " + ", ".join(f"{queue} ({reason})" for queue, reason in paused.items()))

    async def relay() -> None:
        assert service.outbox is not None
        if asyncio.get_running_loop().time() - service.outbox.alive_at > _RELAY_SILENT:
            raise NotReady(service.outbox.failure or "silent")

    health.checks["service"] = running
    health.checks["publisher"] = publisher
    health.checks["consumer"] = consumer
    if service.has_database:
        health.checks["database"] = service.database.probe
        health.checks["outbox"] = relay


def install(app: FastAPI, health: Health, *, details: bool) -> None:
    """Serve `/livez` and `/readyz`; with `details` also what each check found, and `/metrics`.

    Details name databases, queues and errors, and metrics tell how much each part does: not for the public port.
    """

    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        found = await health.findings()
        ready = all(finding == "ok" for finding in found.values())
        body = orjson.dumps({"ready": ready, "checks": found} if details else {"ready": ready})
        headers = {} if ready else {"Retry-After": "2"}
        return Response(body, status_code=200 if ready else 503, headers=headers, media_type="application/json")

    if details:

        @app.get("/metrics", include_in_schema=False)
        async def metrics() -> Response:
            return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


def internal_app(health: Health) -> FastAPI:
    """What the internal listener serves."""
    app = FastAPI(openapi_url=None)
    install(app, health, details=True)
    return app
