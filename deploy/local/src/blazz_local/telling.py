"""Events of the websocket as lines for people: what says the same many times in a moment is one line with a count."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

MAX_WIDTH = 160
FOLD_SECONDS = 0.5
"""Statuses are told at most so late. A campaign's come by the hundred a second; a person's three stay apart anyway."""


class Teller:
    """Tells events; statuses of one kind that come within `FOLD_SECONDS` are folded. Needs a running loop."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._statuses: dict[str, list[str]] = {}
        """The ids of the messages, by what is told of them."""
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, name: str, data: object) -> None:
        """Say what an event says, after the statuses that came before it."""
        content = _content(data)
        if name == "chat.status" and isinstance(content, dict):
            self._statuses.setdefault(_status(content), []).append(str(content.get("uuid")))
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(FOLD_SECONDS, self.flush)
            return
        self.flush()
        told = _progress(content) if name == "campaign.progress" and isinstance(content, dict) else _short(content)
        self._line(name, told)

    def flush(self) -> None:
        """Say what is folded."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        folded, self._statuses = self._statuses, {}
        for status, messages in folded.items():
            self._line(
                "chat.status", f"{status} {messages[0]}" if len(messages) == 1 else f"{status} × {len(messages)}"
            )

    def _line(self, name: str, text: str) -> None:
        self._say(f"{name:<18} {text if len(text) <= MAX_WIDTH else f'{text[:MAX_WIDTH]}…'}")


def _content(data: object) -> Any:
    """What an event carries: `{"chat": {…}}` is what is in it."""
    content = json.loads(data) if isinstance(data, str) else data
    return next(iter(content.values())) if isinstance(content, dict) and len(content) == 1 else content


def _status(content: dict[str, Any]) -> str:
    error = content.get("error")
    code = f" ({error['code']})" if isinstance(error, dict) and "code" in error else ""
    return f"{content.get('status')}{code}"


def _progress(content: dict[str, Any]) -> str:
    """`Spring: sending, 300 in all: 100 requested, 200 sent`, without what nobody is counted in."""
    counts = {name: n for name, n in content.items() if isinstance(n, int) and name != "total" and n}
    told = ", ".join(f"{n} {name}" for name, n in counts.items()) or "nobody yet"
    return f"{content.get('name')}: {content.get('state')}, {content.get('total')} in all: {told}"


def _short(content: Any) -> str:
    """The event without its ids and times, which say little to a reader."""
    if isinstance(content, dict):
        dull = ("id", "uuid", "_at")
        content = {key: value for key, value in content.items() if value is not None and not key.endswith(dull)}
    return json.dumps(content, ensure_ascii=False)
