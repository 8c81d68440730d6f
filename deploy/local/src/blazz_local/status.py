"""What runs: a table for people."""

import asyncio
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from blazz_local.atomic import read_json
from blazz_local.browsers import browsers_of
from blazz_local.errors import NotRunning
from blazz_local.folder import Folder
from blazz_local.http import answers
from blazz_local.lock import holder
from blazz_local.services import BRIDGE, SIMULATOR

_PAGE_MB = 4096 / 1_000_000
_WIDEST = 500
"""Columns. The table is as wide as it needs: a narrow terminal wraps a row, which keeps its address to copy whole."""


def describe(folder: Folder) -> dict[str, Any]:
    """The content of `stack.json`. Raises `NotRunning`."""
    description = read_json(folder.stack_file)
    if holder(folder) is None or not description:
        raise NotRunning(f"no stack is ready in {folder.path}: make up")
    return description


async def show(folder: Folder) -> None:
    """Print a row for each process, and one for the browsers. Raises `NotRunning`."""
    description = describe(folder)
    table = Table("process", "pid", "state", "memory", "up", "address", box=None)
    for row in await rows_of(description["processes"]):
        table.add_row(*row)
    Console(width=_WIDEST).print(table)


async def rows_of(processes: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each process, as strings in the table's columns, and one for a bridge's browsers below it."""
    states = await asyncio.gather(*(_state(name, process) for name, process in processes.items()))
    rows: list[tuple[str, ...]] = []
    for (name, process), state in zip(processes.items(), states, strict=True):
        memory, age = _memory_and_age(process["pid"])
        rows.append((name, str(process["pid"]), state, memory, age, process.get("url", "")))
        if name == BRIDGE:
            browsers = await asyncio.to_thread(browsers_of, process["pid"])
            if browsers.pids:
                count, weight = f"{len(browsers.pids)} running", f"{browsers.memory / 1_000_000:.0f} MB"
                rows.append(("  its browsers", browsers.listed, count, weight))
    return rows


async def _state(name: str, process: dict[str, Any]) -> str:
    if not is_alive(process["pid"]):
        return "[red]gone[/red]"
    url = process.get("url", "")
    if not url.startswith("http"):
        return "[green]running[/green]"
    path = "/_sim/health" if name == SIMULATOR else "/readyz"
    return "[green]ready[/green]" if await answers(url + path)() else "[red]not ready[/red]"


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    return Path("/proc", str(pid)).exists()


def _memory_and_age(pid: int) -> tuple[str, str]:
    try:
        pages = int(Path("/proc", str(pid), "statm").read_text().split()[1])
        age = time.time() - Path("/proc", str(pid)).stat().st_mtime
    except (OSError, IndexError):
        return "", ""
    return f"{pages * _PAGE_MB:.0f} MB", f"{age:.0f} s" if age < 120 else f"{age / 60:.0f} min"


def exports_of(description: dict[str, Any]) -> str:
    """Shell variables for the tour in the README and the examples of docs/api.md, from the content of `stack.json`."""
    demo = description["demo"]
    variables = {
        "API": description["gateway_url"],
        "TOKEN": demo["api_token"],
        "SIMULATOR": description["simulator_url"],
        "WORKSPACE": demo["workspace_id"],
        "CHANNEL": demo["channel_id"],
        "CONTACT": demo["contact_uuid"],
        "PHONE": demo["contact_phone"],
    }
    return "\n".join(f"export {name}={value}" for name, value in variables.items())
