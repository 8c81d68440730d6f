"""`python -m blazz_simulator`: serve until SIGTERM or Ctrl-C."""

import asyncio
import logging
import signal
import sys

import structlog
import uvloop
from aiohttp import web
from pydantic import ValidationError

from .app import build
from .keys import WHATSAPP
from .settings import Settings

log = structlog.get_logger(__name__)

SHUTDOWN_SECONDS = 3.0
"""Calls on the way get this long to end after SIGTERM."""


def configure_logging(settings: Settings) -> None:
    """Log events with fields to standard error: for people, or one JSON object a line."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ]
        if settings.log_json
        else [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def serve(settings: Settings) -> None:
    """Serve until a signal asks to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = build(settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    log.info("simulator_ready", url=f"http://{host}:{port}", phones=f"http://{host}:{port}/phones")
    await stop.wait()
    waiting = app[WHATSAPP].outbox.waiting
    log.info("simulator_stopping", webhooks_undelivered=waiting, accepted=app[WHATSAPP].ledger.last)
    await runner.cleanup()


def main() -> None:
    """Start the simulator with the settings of the environment."""
    try:
        settings = Settings()
    except ValidationError as error:
        for item in error.errors():
            name = "_".join(str(part) for part in item["loc"]).upper()
            print(f"BLAZZ_SIM_{name}: {item['msg']}", file=sys.stderr)
        sys.exit(2)
    configure_logging(settings)
    uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
