"""Logs as events with fields: JSON lines in production, readable in a terminal, secrets masked by their name."""

import logging as stdlib
import re
import sys
from collections.abc import Mapping
from io import StringIO
from logging.handlers import RotatingFileHandler
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from blazz_chassis.settings import ServiceSettings

MASK = "***"
_SECRET = re.compile(
    r"token|secret|passw|authorization|api_?key|(?<!routing)(?<!idempotency)_key$|cookie|credential|signature"
    r"|(^|_)otp($|_)|dsn|amqp_url|database.*url",
    re.I,
)
_IN_URL = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)", re.I)
_DEPTH = 6  # what is nested deeper is not a log field
_FILE_BYTES, _FILE_COUNT = 50_000_000, 5
_QUIET = {
    "uvicorn.access": stdlib.ERROR,
    "uvicorn.error": stdlib.WARNING,
    "alembic": stdlib.WARNING,
    "aio_pika": stdlib.ERROR,
    "aiormq": stdlib.ERROR,
    "httpx": stdlib.WARNING,
    "faststream": stdlib.WARNING,
}


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask every value whose name sounds like a secret, and passwords in addresses."""
    return {name: value if name == "event" else _masked(name, value, 0) for name, value in event.items()}


def _masked(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, str):
        if _SECRET.search(name) and value:
            return MASK
        return _IN_URL.sub(rf"\g<before>{MASK}", value) if "://" in value else value
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    if _SECRET.search(name):
        return MASK
    if depth >= _DEPTH:
        return repr(value)
    if isinstance(value, Mapping):
        return {key: _masked(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(name, inner, depth + 1) for inner in value]
    return value


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but for tab and line feed: one from a request's path makes a log a binary file, or a terminal's
escape sequence. JSON escapes them by itself."""


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write control characters as `\\x1b`. What is no string is rendered by its repr, which does so."""
    return {name: _visible(value) if isinstance(value, str) else value for name, value in event.items()}


def _plain_traceback(out: TextIO, exception: ExcInfo) -> None:
    """Without local variables, secrets among them, whose rendering would take seconds of the loop's time, too."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exception)
    out.write(_visible(text.getvalue()))


def _dumps(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def configure(settings: ServiceSettings, service: str) -> None:
    """Set up structlog and the standard library's logging alike. Call once, before anything logs."""
    level = stdlib.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]

    def named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        event.setdefault("instance", settings.instance)
        return event

    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    json = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[
            strip,
            named,
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )
    console = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            strip,
            mask_secrets,
            escape_control_characters,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_plain_traceback),
        ],
    )
    readable = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    handlers: list[stdlib.Handler] = [stdlib.StreamHandler(sys.stderr)]
    handlers[0].setFormatter(console if readable else json)
    if settings.log_file:
        rotating = RotatingFileHandler(settings.log_file, maxBytes=_FILE_BYTES, backupCount=_FILE_COUNT, delay=True)
        rotating.setFormatter(json)
        handlers.append(rotating)
    root = stdlib.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        stdlib.getLogger(name).setLevel(max(quiet, level))
    stdlib.captureWarnings(capture=True)
