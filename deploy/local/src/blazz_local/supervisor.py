"""Keeps programs running: starts them, waits until they serve, and starts again what dies."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from blazz_local.errors import StartFailed
from blazz_local.logs import cap, last_lines
from blazz_local.process import Process
from blazz_local.program import Check, Program

READY_POLL_SECONDS = 0.05
QUICK_DEATH_SECONDS = 10.0
"""A process that lived shorter than this counts towards the backoff."""
FREE_RESTARTS = 3
"""So many quick deaths in a row are answered at once; after that the wait doubles up to `MAX_BACKOFF_SECONDS`."""
MAX_BACKOFF_SECONDS = 10.0
CAP_POLL_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass(slots=True)
class _Running:
    program: Program
    process: Process
    quick_deaths: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    watch: asyncio.Task[None] | None = None
    restarts: int = 0


async def until(check: Check, *, timeout: float) -> None:
    """Ask until the answer is yes. Raises `TimeoutError` after `timeout` seconds."""
    async with asyncio.timeout(timeout):
        while True:
            if await check():
                return
            await asyncio.sleep(READY_POLL_SECONDS)


class Supervisor:
    """Runs programs until told to stop."""

    def __init__(self, *, say: Say = print) -> None:
        self._say = say
        self.changed: Callable[[], None] = lambda: None
        """Called when a program runs under another pid; at once, before it serves: nobody is to be told a dead one."""
        self._running: dict[str, _Running] = {}
        self._caps: asyncio.Task[None] | None = None

    async def start(self, program: Program) -> None:
        """Start a program and return when it serves. Raises `StartFailed` with the end of its log when it does not."""
        process = _spawn(program)
        entry = self._running[program.name] = _Running(program, process)
        try:
            await self._until_ready(entry)
        except BaseException:
            del self._running[program.name]
            await process.stop(program.stop_signal, grace=2.0)
            _after_kill(program)
            raise
        entry.watch = asyncio.create_task(self._watch(entry), name=f"watch {program.name}")
        if self._caps is None:
            self._caps = asyncio.create_task(self._cap_logs(), name="cap logs")

    async def stop(self, name: str) -> None:
        """Stop a program: its signal first, SIGKILL when its grace is over."""
        entry = self._running.pop(name, None)
        if entry is None:
            return
        if entry.watch is not None:
            entry.watch.cancel()
            await asyncio.gather(entry.watch, return_exceptions=True)
        await entry.process.stop(entry.program.stop_signal, grace=entry.program.stop_grace)
        _after_kill(entry.program)

    async def stop_all(self, *groups: list[str]) -> None:
        """Stop the groups one after the other, the programs of a group together; then whatever is left."""
        for group in groups:
            await asyncio.gather(*(self.stop(name) for name in group))
        for name in reversed(list(self._running)):
            await self.stop(name)
        if self._caps is not None:
            self._caps.cancel()
            await asyncio.gather(self._caps, return_exceptions=True)
            self._caps = None

    def kill(self, name: str) -> int:
        """Kill a process (SIGKILL) and let supervision bring it back; returns the pid that was killed."""
        entry = self._running[name]
        entry.ready.clear()
        pid = entry.process.pid
        entry.process.kill()
        return pid

    async def restart(self, name: str) -> None:
        """Stop a program in good order and start it again; returns when it serves."""
        program = self._running[name].program
        await self.stop(name)
        await self.start(program)
        self.changed()

    async def wait_ready(self, name: str, *, timeout: float = 30.0) -> None:
        """Wait until a program serves (again)."""
        try:
            async with asyncio.timeout(timeout):
                await self._running[name].ready.wait()
        except TimeoutError:
            raise StartFailed(_complaint(self._running[name].program, f"is not ready after {timeout:g} s")) from None

    def pid(self, name: str) -> int | None:
        """The pid that serves, or None when the program is not supervised."""
        entry = self._running.get(name)
        return entry.process.pid if entry else None

    @property
    def programs(self) -> list[Program]:
        """What is supervised, in the order of its start."""
        return [entry.program for entry in self._running.values()]

    async def _until_ready(self, entry: _Running) -> None:
        program, process = entry.program, entry.process
        limit = time.monotonic() + program.ready_within
        while not await program.ready():
            if not process.running:
                raise StartFailed(_complaint(program, f"ended with status {process.exit_code}"))
            if time.monotonic() > limit:
                raise StartFailed(_complaint(program, f"is not ready after {program.ready_within:g} s"))
            await asyncio.sleep(READY_POLL_SECONDS)
        if not process.running:  # what answered was another process on its port
            raise StartFailed(_complaint(program, f"ended with status {process.exit_code}"))
        entry.ready.set()

    async def _watch(self, entry: _Running) -> None:
        program = entry.program
        while True:
            status = await entry.process.wait()
            entry.ready.clear()
            lived = time.monotonic() - entry.process.started
            entry.quick_deaths = entry.quick_deaths + 1 if lived < QUICK_DEATH_SECONDS else 0
            entry.process.kill()  # the rest of its group
            self._trying(program, partial(_after_kill, program))
            delay = _backoff(entry.quick_deaths)
            if delay:
                self._say(
                    f"!! {program.name} has died {entry.quick_deaths} times in a row (status {status}); "
                    f"next try in {delay:g} s. Its log: {program.log}"
                )
                await asyncio.sleep(delay)
            else:
                self._say(f"{program.name} ended with status {status} after {lived:.1f} s; starting it again")
            entry.process = await self._spawned_again(entry)
            entry.restarts += 1
            self._trying(program, self.changed)
            try:
                await self._until_ready(entry)
            except StartFailed as failure:
                self._say(f"!! {failure}")
                if entry.process.running:
                    await entry.process.stop(program.stop_signal, grace=2.0)
                continue
            self._say(f"{program.name} is ready again (pid {entry.process.pid})")

    async def _spawned_again(self, entry: _Running) -> Process:
        """The program's new process; while the system refuses (a full disk, too many processes), tried again."""
        while True:
            try:
                return _spawn(entry.program)
            except OSError as error:
                entry.quick_deaths = max(entry.quick_deaths, FREE_RESTARTS) + 1
                delay = _backoff(entry.quick_deaths)
                self._say(f"!! {entry.program.name} cannot be started ({error}); next try in {delay:g} s")
                await asyncio.sleep(delay)

    def _trying(self, program: Program, work: Callable[[], None]) -> None:
        """Do what supervision does not depend on; say what the system refuses."""
        try:
            work()
        except OSError as error:
            self._say(f"!! {program.name} goes on, but: {error}")

    async def _cap_logs(self) -> None:
        while True:
            await asyncio.sleep(CAP_POLL_SECONDS)
            for program in self.programs:
                self._trying(program, partial(cap, program.log))


def _spawn(program: Program) -> Process:
    if program.before_start is not None:
        program.before_start()
    return Process(program.command, env=program.env, log=program.log, death_signal=program.death_signal)


def _after_kill(program: Program) -> None:
    if program.after_kill is not None:
        program.after_kill()


def _backoff(quick_deaths: int) -> float:
    if quick_deaths <= FREE_RESTARTS:
        return 0.0
    return float(min(MAX_BACKOFF_SECONDS, 2.0 ** (quick_deaths - FREE_RESTARTS - 1)))


def _complaint(program: Program, what: str) -> str:
    end = last_lines(program.log)
    return f"{program.name} {what}. The end of its log ({program.log}):\n{end}"
