"""`up` in the foreground, and the supervisor that `up --detach` leaves behind: a stack until a signal ends it."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys

from blazz_local.address import without_password
from blazz_local.databases import SERVICES
from blazz_local.folder import Folder
from blazz_local.lock import held
from blazz_local.logs import PROCESSES, Follower
from blazz_local.stack import Stack

FOLLOW_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


async def run(folder: Folder, *, follow: bool, until_pid: int | None = None) -> int:
    """Run the stack until a signal, or the end of `until_pid`; `follow` prints every log.

    Returns the exit status; raises a `LocalError`.
    """
    if follow:  # a make that is killed takes the stack with it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    with held(folder):
        told = asyncio.Event()
        stack = Stack(folder, say=say)
        _on_signals(told)
        if until_pid is not None:
            _on_end_of(until_pid, told)
        follower = asyncio.create_task(_follow(folder), name="follow logs") if follow else None
        starting = asyncio.create_task(stack.start(), name="start")
        waiting = asyncio.create_task(told.wait(), name="wait for a signal")
        try:
            await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if told.is_set():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
            else:
                await starting
                say(ready_line(stack.description))
                await waiting
        finally:
            waiting.cancel()
            say("stopping ...")
            await stack.stop()
            if follower is not None:
                follower.cancel()
                await asyncio.gather(follower, return_exceptions=True)
        say("stopped")
    return 0


def ready_line(description: dict[str, object]) -> str:
    """The one line that says where to look."""
    websocket = description["websocket"]
    assert isinstance(websocket, dict)
    demo = description["demo"]
    page = f"/phones/{demo['contact_phone'].lstrip('+')}" if isinstance(demo, dict) else "/phones"
    management = without_password(str(description["amqp_management_url"]))
    return (
        f"Blazz is ready: API {description['gateway_url']} · phone {description['simulator_url']}{page} · "
        f"websocket ws://{websocket['host']}:{websocket['port']}/app/{websocket['key']} · RabbitMQ {management} · "
        "passwords and the demo's token in .blazz/stack.json"
    )


def say(text: str) -> None:
    """A line of the supervisor's own. A terminal that is gone is no reason to stop in the middle of stopping."""
    with contextlib.suppress(OSError, ValueError):
        for line in text.splitlines():
            sys.stdout.write(f"{'blazz':<16} | {line}\n")
        sys.stdout.flush()


def _on_signals(told: asyncio.Event) -> None:
    def tell() -> None:
        if told.is_set():
            say("already stopping; what is under way is finished first")
        told.set()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, tell)


def _on_end_of(pid: int, told: asyncio.Event) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        told.set()
        return

    def tell() -> None:
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)
        told.set()

    asyncio.get_running_loop().add_reader(handle, tell)


async def _follow(folder: Folder) -> None:
    names = (*PROCESSES, *(f"{service}-migrate" for service in SERVICES))
    follower = Follower([folder.log(name) for name in names])
    try:
        while True:
            with contextlib.suppress(OSError):
                follower.poll()
            await asyncio.sleep(FOLLOW_SECONDS)
    finally:
        with contextlib.suppress(OSError):
            follower.poll()
