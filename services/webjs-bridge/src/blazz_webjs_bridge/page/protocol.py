"""Calls as they go to our script, and its answers as they come back. A page may answer anything: it is all checked."""

import json
from typing import Any, TypeVar

from pydantic import ValidationError

from blazz_webjs_bridge.page.calls import Call
from blazz_webjs_bridge.page.errors import PageError, PageGarbled, PageRefused, PageTimeout
from blazz_webjs_bridge.page.script_source import ANSWER_CHARACTERS

A = TypeVar("A")

ASK = "([name, args, limit]) => window.__blazz ? window.__blazz.call(name, args, limit) : null"
ARGUMENT_CHARACTERS = 1_000_000
"""Of one call: a text of 65,536 characters and a few hundred contact cards are far below."""
MARGIN = 0.2
"""Seconds that the page gets less than we wait: its own word on being late says more than our giving up."""


def arguments(call: Call[Any], within: float, file: str | None = None) -> list[Any]:
    """What `ASK` takes. Raises `PageRefused` when it is too large."""
    args = call.model_dump(mode="json", exclude={"path"})
    if file is not None:
        args["file"] = file
    if len(json.dumps(args)) > ARGUMENT_CHARACTERS:
        raise PageRefused(
            "arguments_too_large", f"`{call.name}` is asked with more than {ARGUMENT_CHARACTERS} characters."
        )
    return [call.name, args, int(max(within - MARGIN, within / 2) * 1000)]


def answered(raw: object, call: Call[Any]) -> Any:
    """The value in an answer, not looked at yet. Raises what the script says went wrong, or `PageGarbled`."""
    if not isinstance(raw, str):
        raise PageGarbled(f"`{call.name}`: our script is not in the page.")
    if len(raw) > ANSWER_CHARACTERS:
        raise PageGarbled(f"`{call.name}` was answered with {len(raw)} characters.")
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise PageGarbled(f"`{call.name}` was not answered in JSON.") from error
    if not isinstance(told, dict):
        raise PageGarbled(f"`{call.name}` was answered with something else than an object.")
    if "error" in told:
        raise _said(told["error"], call)
    if "ok" not in told:
        raise PageGarbled(f"`{call.name}` was answered with neither a value nor an error.")
    return told["ok"]


def read(raw: object, call: Call[A]) -> A:
    """The answer to a call, as its model. Raises `PageRefused`, `PageTimeout`, `PageGarbled`."""
    value = answered(raw, call)
    try:
        answer: A = call.answer.validate_python(value)
    except (ValidationError, RecursionError) as error:
        raise PageGarbled(f"`{call.name}` was answered with something of another shape{_where(error)}.") from None
    return answer


def _said(error: Any, call: Call[Any]) -> PageError:
    code = error.get("code") if isinstance(error, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(code, str) or not code:
        return PageGarbled(f"`{call.name}` went wrong in a way that has no name.")
    detail = message[:500] if isinstance(message, str) else None
    if code == "timeout":
        return PageTimeout(detail)
    return PageRefused(code[:100], detail)


def _where(error: Exception) -> str:
    """At which field, never with what was there: it may be somebody's message."""
    if not isinstance(error, ValidationError):
        return ""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f", at {'.'.join(str(part) for part in first['loc']) or 'its root'}: {first['type']}"
