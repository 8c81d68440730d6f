"""The supervisor: starts, waits, starts again, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from blazz_local.errors import StartFailed
from blazz_local.process import MARK, Process, end_strays, strays
from blazz_local.program import Program
from blazz_local.supervisor import Supervisor, _backoff
from blazz_local.supervisor import until as polled

SERVE = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('up'); time.sleep(600)"


class Sample:
    """A program that is ready when it has written its file."""

    def __init__(self, folder: Path, script: str = SERVE, **settings: object) -> None:
        self.flag = folder / "flag"

        async def ready() -> bool:
            return self.flag.exists()

        self.program = Program(
            name="sample",
            command=[sys.executable, "-c", script, str(self.flag)],
            env={**os.environ, MARK: str(folder)},
            log=folder / "sample.log",
            ready=ready,
            before_start=lambda: self.flag.unlink(missing_ok=True),
            stop_grace=2.0,
            **settings,  # type: ignore[arg-type]
        )


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(said: list[str]):
    supervisor = Supervisor(say=said.append)
    yield supervisor
    await supervisor.stop_all()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async def check() -> bool:
        return condition()

    await polled(check, timeout=seconds)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_start_returns_when_the_program_serves(supervisor: Supervisor, tmp_path: Path) -> None:
    sample = Sample(tmp_path)
    await supervisor.start(sample.program)
    assert sample.flag.exists()
    assert supervisor.pid("sample") is not None


async def test_a_killed_program_serves_again_within_two_seconds_under_a_new_pid(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    changes: list[int | None] = []
    supervisor.changed = lambda: changes.append(supervisor.pid("sample"))
    await supervisor.start(Sample(tmp_path).program)
    killed = supervisor.kill("sample")
    began = time.monotonic()
    await supervisor.wait_ready("sample", timeout=5)
    assert time.monotonic() - began < 2.0
    await until(lambda: bool(changes))
    assert changes == [supervisor.pid("sample")]
    assert supervisor.pid("sample") != killed


async def test_a_new_pid_is_told_of_before_it_serves(supervisor: Supervisor, tmp_path: Path) -> None:
    sample = Sample(tmp_path)
    await supervisor.start(sample.program)
    served: list[bool] = []
    supervisor.changed = lambda: served.append(sample.flag.exists())
    supervisor.kill("sample")
    await until(lambda: bool(served))
    assert served == [False]


async def test_supervision_goes_on_when_the_system_refuses_for_a_while(
    supervisor: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blazz_local.supervisor._backoff", lambda deaths: 0.01 if deaths else 0.0)
    refusals = [OSError(28, "No space left on device"), OSError(11, "Resource temporarily unavailable")]
    sample = Sample(tmp_path)
    await supervisor.start(sample.program)
    begin = sample.program.before_start

    def refused() -> None:
        if refusals:
            raise refusals.pop()
        assert begin is not None
        begin()

    def unwritable() -> None:
        raise OSError(28, "No space left on device")

    object.__setattr__(sample.program, "before_start", refused)
    supervisor.changed = unwritable
    for _ in range(2):
        killed = supervisor.kill("sample")
        await supervisor.wait_ready("sample", timeout=10)
        assert supervisor.pid("sample") != killed
    assert not refusals
    assert "No space left on device" in "".join(said)


async def test_a_program_that_never_gets_ready_fails_with_the_end_of_its_log(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    sample = Sample(tmp_path, "print('the disk is full', flush=True); raise SystemExit(3)")
    with pytest.raises(StartFailed, match=r"status 3(.|\n)*the disk is full"):
        await supervisor.start(sample.program)
    assert supervisor.programs == []


async def test_a_program_that_is_too_slow_fails_and_is_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    sample = Sample(tmp_path, "import time; time.sleep(600)", ready_within=0.2)
    with pytest.raises(StartFailed, match=r"not ready after 0\.2 s"):
        await supervisor.start(sample.program)
    assert strays(tmp_path) == []


async def test_quick_deaths_are_answered_at_once_three_times_then_with_growing_waits() -> None:
    assert [_backoff(n) for n in range(9)] == [0, 0, 0, 0, 1, 2, 4, 8, 10]


async def test_a_program_that_keeps_dying_is_reported_loudly(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    die_soon = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('up'); time.sleep(0.15); sys.exit(7)"
    await supervisor.start(Sample(tmp_path, die_soon).program)
    await until(lambda: any(line.startswith("!! sample has died 4 times in a row (status 7)") for line in said))


async def test_a_program_that_ignores_its_signal_is_killed_with_its_children(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    stubborn = (
        "import pathlib, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen(['sleep', '600']); pathlib.Path(sys.argv[1]).write_text('up'); time.sleep(600)"
    )
    sample = Sample(tmp_path, stubborn)
    sample.program.stop_grace = 0.2
    await supervisor.start(sample.program)
    await supervisor.stop("sample")
    await until(lambda: strays(tmp_path) == [])


async def test_restart_gives_a_fresh_process(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(Sample(tmp_path).program)
    first = supervisor.pid("sample")
    await supervisor.restart("sample")
    assert supervisor.pid("sample") != first
    assert gone(first or 0)


async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from blazz_local.process import Process;"
        "p = Process(['sleep', '600'], env=dict(os.environ), log=Path(sys.argv[1]) / 'log');"
        "print(p.pid, flush=True); signal.pause()"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path), stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    await until(lambda: Path(f"/proc/{child}/comm").read_text().strip() == "sleep")
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until(lambda: gone(child))


async def test_strays_are_found_by_their_mark_and_ended(tmp_path: Path) -> None:
    process = Process(["sleep", "600"], env={**os.environ, MARK: str(tmp_path)}, log=tmp_path / "log")
    await until(lambda: strays(tmp_path) == [process.pid])
    ending = asyncio.to_thread(end_strays, tmp_path)
    assert (await asyncio.gather(ending, process.wait())) == [1, -signal.SIGTERM]
    assert strays(tmp_path) == []
