"""The one assembly of a service: what it uses, started in order, stopped in order."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
import uvloop
from blazz_contracts import Event
from blazz_contracts.topology import of_service
from fastapi import FastAPI

from blazz_chassis import health, logging, problem, tracing, web
from blazz_chassis.asyncapi import document
from blazz_chassis.batcher import Batcher
from blazz_chassis.consumer import Consumer
from blazz_chassis.database import Database
from blazz_chassis.http_protocol import allow_many_files
from blazz_chassis.http_server import HttpServer
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher
from blazz_chassis.settings import ServiceSettings

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")
Coroutine = Callable[[], Awaitable[object]]

_RESTART = (0.2, 1.0, 5.0)  # seconds before a background task that crashed runs again
_LAST_STEPS = 3.0  # seconds kept back from the time limit for closing what must be closed


class Service:
    """A service: settings in, everything a service uses out. `run` serves until SIGTERM or SIGINT.

    It starts, and stays up, while broker or database are away; `/readyz` says so, and they are used once they are back.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        publishes: Sequence[type[Event]] = (),
        hears: Sequence[type[Event]] = (),
        body_limits: Mapping[str, int] | None = None,
        title: str | None = None,
        version: str = "1",
        description: str = "",
    ) -> None:
        """`publishes` and `hears` (the events of an `InstanceQueue`) are for the AsyncAPI document.

        `body_limits`: bytes by path prefix, over `settings.body_limit`.
        """
        self.name, self.settings = name, settings
        self.publishes, self.hears = tuple(publishes), tuple(hears)
        self.version = version
        self.has_database = bool(settings.database_api_url.get_secret_value())
        self.database = Database(
            settings.database_api_url,
            settings.database_worker_url,
            service=name,
            api_pool=settings.database_api_pool,
            worker_pool=settings.database_worker_pool,
            acquire_timeout=settings.database_acquire_timeout,
            statement_timeout=settings.database_statement_timeout,
            api_statement_timeout=settings.database_api_statement_timeout,
            lock_timeout=settings.database_lock_timeout,
            idle_timeout=settings.database_idle_timeout,
        )
        self.publisher = Publisher(
            settings.amqp_url,
            service=name,
            queues=of_service(name),
            timeout=settings.publish_timeout,
            in_flight=settings.publish_in_flight,
            largest=settings.publish_largest,
            retry_scale=settings.retry_scale,
        )
        self.consumer = Consumer(settings.amqp_url, self.publisher, service=name, hold=settings.queue_hold)
        self.outbox = Outbox(
            self.database, self.publisher, service=name, lease=settings.outbox_lease, poll=settings.outbox_poll
        )
        self.http_app = FastAPI(title=title or f"Blazz {name}", version=version, description=description)
        self.http_app.state.service_name = name
        self.http_app.state.context_key = settings.context_key
        self.health = health.Health()
        self.started = asyncio.Event()
        self.stopping = asyncio.Event()
        self.port: int | None = None
        self.internal_port: int | None = None
        self._servers: list[HttpServer] = []
        self._batchers: list[Batcher[Any, Any]] = []
        self._background: list[tuple[str, Coroutine, bool]] = []
        self._tasks: dict[asyncio.Task[None], bool] = {}
        self._on_start: list[Coroutine] = []
        self._on_stop: list[Coroutine] = []
        problem.install(self.http_app)
        # What is inside is nobody's business outside: in production the details have a listener of their own, or none.
        details = settings.env != "production" and settings.internal_port is None
        health.install(self.http_app, self.health, details=details)
        health.watch(self)
        # The last one added is the outermost.
        self.http_app.add_middleware(web.BodyLimit, default=settings.body_limit, by_prefix=body_limits)
        self.http_app.add_middleware(web.RequestContext)
        if self.has_database:
            self.background("outbox-relay", self.outbox.relay)

    def background(self, name: str, work: Coroutine, *, finishes: bool = False) -> None:
        """Run `work()` while the service runs; again when it crashes. Cancelled at the end.

        `finishes`: it watches `service.stopping` and returns by itself, which is waited for.
        """
        self._background.append((name, work, finishes))

    def batcher(
        self,
        flush: Callable[[list[T]], Awaitable[Sequence[R | BaseException]]],
        *,
        name: str,
        max_items: int = 100,
        max_wait: float = 0.005,
        weigh: Callable[[T], int] | None = None,
    ) -> Batcher[T, R]:
        """Return a `Batcher` that is flushed before the service stops."""
        batcher = Batcher(flush, name=name, max_items=max_items, max_wait=max_wait, weigh=weigh)
        self._batchers.append(batcher)
        return batcher

    def on_start(self, work: Coroutine) -> None:
        """Run `work()` before anything is consumed or served. It must not need what may be away (broker, database)."""
        self._on_start.append(work)

    def on_stop(self, work: Coroutine) -> None:
        """Run `work()` at the end, before the connections are closed."""
        self._on_stop.append(work)

    def asyncapi(self) -> dict[str, Any]:
        """Return the AsyncAPI document: what is consumed and what is published. The same for the same code."""
        return document(self.name, self.version, self.consumer, self.publishes, self.hears)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return self.http_app.openapi()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then stop in order. The process is the server; there are no workers."""
        logging.configure(self.settings, self.name)
        tracing.configure(self.settings, self.name)
        allow_many_files()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.serve(signals=True))

    async def serve(self, *, signals: bool = False) -> None:
        """Serve until `stop` is called (or a signal comes, with `signals`)."""
        self.settings.require("amqp_url")
        loop = asyncio.get_running_loop()
        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._signalled)
        self._servers = self._http_servers()
        for work in self._on_start:
            await work()
        await self.publisher.start()
        await self.consumer.start()
        for name, work, finishes in self._background:
            self._tasks[asyncio.create_task(self._keep_running(name, work), name=name)] = finishes
        serving: set[asyncio.Task[None]] = set()
        try:
            for server in self._servers:
                serving.add(await server.begin())
            if all(server.started for server in self._servers):
                self.port = self._servers[0].port
                self.internal_port = self._servers[1].port if self._servers[1:] else None
                self.started.set()
                log.info("service_started", host=self.settings.http_host, port=self.port)
                stop = asyncio.create_task(self.stopping.wait())
                await asyncio.wait({stop, *serving}, return_when=asyncio.FIRST_COMPLETED)
                stop.cancel()
        finally:
            self.stop()
            await self._shut_down()
        if not self.started.is_set():
            addresses = ", ".join(f"{server.config.host}:{server.config.port}" for server in self._servers)
            raise SystemExit(f"{self.name} could not listen on {addresses}")

    def stop(self) -> None:
        """Begin the ordered stop."""
        self.stopping.set()
        self.health.forget()

    def _signalled(self) -> None:
        if self.stopping.is_set():
            # Whoever asks twice means now; a process may die at any moment, so nothing is lost by it.
            log.warning("stop_forced")
            os._exit(1)
        self.stop()

    def _http_servers(self) -> list[HttpServer]:
        settings = self.settings
        servers = [HttpServer(self.http_app, settings, host=settings.http_host, port=settings.http_port)]
        if settings.internal_port is not None:
            app = health.internal_app(self.health)
            servers.append(HttpServer(app, settings, host=settings.internal_host, port=settings.internal_port))
        return servers

    async def _shut_down(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        until = began + max(1.0, self.settings.shutdown_timeout - _LAST_STEPS)

        async def step(name: str, work: Awaitable[object]) -> None:
            try:
                # Each step takes what time is left, and the later ones get a moment in any case.
                async with asyncio.timeout(max(0.5, until - loop.time())):
                    await work
            except TimeoutError:
                log.warning("stop_step_timed_out", step=name)
            except Exception:
                log.exception("stop_step_failed", step=name)

        log.info("service_stopping")
        await step("stop consuming", self.consumer.cancel())
        await step("finish handlers", self.consumer.drain())
        for batcher in self._batchers:
            await step(f"flush {batcher.name}", batcher.flush())
        await step("background tasks", self._end_background())
        await step("outbox", self.outbox.flush())
        for server in self._servers:
            await step("http", server.finish())
            await server.abandon()
        for batcher in self._batchers:
            await step(f"close {batcher.name}", batcher.close())
        await step("outbox", self.outbox.flush())
        for work in reversed(self._on_stop):
            await step("on_stop", work())
        await step("consumer", self.consumer.stop())
        await step("publisher", self.publisher.stop())
        await step("database", self.database.close())
        await step("traces", asyncio.to_thread(tracing.shutdown))
        log.info("service_stopped", seconds=round(loop.time() - began, 2))

    async def _end_background(self) -> None:
        for task, finishes in self._tasks.items():
            if not finishes:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_running(self, name: str, work: Coroutine) -> None:
        crashes = 0
        while not self.stopping.is_set():
            try:
                await work()
            except Exception:
                pause = _RESTART[min(crashes, len(_RESTART) - 1)]
                crashes += 1
                log.exception("background_crashed", task=name, again_in=pause)
                await asyncio.sleep(pause)
            else:
                return
