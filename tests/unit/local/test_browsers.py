"""The browsers below a bridge, told from what else runs there."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from blazz_local import status
from blazz_local.browsers import Browsers, browsers_of
from blazz_local.folder import Folder
from blazz_local.status import rows_of

from tests.support.polling import until

# Two browsers with a process each of their own, below a driver that is none.
SCRIPTS = {
    "zygote": "sleep 60; :",
    "chromium": "sh zygote --type=zygote $1 & wait",
    "driver": "sh chromium --user-data-dir=/p/1 & sh chromium --user-data-dir=/p/2 --headless & wait",
    "bridge": "sh driver & wait",
}


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[int]:
    """A process that runs two browsers."""
    for name, script in SCRIPTS.items():
        (tmp_path / name).write_text(script)
    process = subprocess.Popen(["sh", "bridge"], cwd=tmp_path, start_new_session=True)
    yield process.pid
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def gone() -> int:
    """The pid of a process that was."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


async def running(bridge: int) -> Browsers:
    """The bridge's browsers, once all of its processes run."""
    await until(lambda: len(psutil.Process(bridge).children(recursive=True)) == 7)
    return browsers_of(bridge)


async def test_browsers_are_counted_and_weighed_with_all_their_processes(bridge: int) -> None:
    found = await running(bridge)
    assert {psutil.Process(pid).cmdline()[2] for pid in found.pids} == {"--user-data-dir=/p/1", "--user-data-dir=/p/2"}
    alone = sum(psutil.Process(pid).memory_full_info().pss for pid in found.pids)
    assert found.memory > alone > 0


async def test_the_table_lists_a_bridges_browsers_below_it(bridge: int) -> None:
    found = await running(bridge)
    rows = await rows_of({"webjs-bridge": {"pid": bridge}, "chat": {"pid": os.getpid()}})
    assert [row[0] for row in rows] == ["webjs-bridge", "  its browsers", "chat"]
    assert (rows[1][1], rows[1][2]) == (found.listed, "2 running")
    assert rows[1][3].endswith(" MB")


@pytest.mark.parametrize(("pids", "listed"), [((), ""), ((4711,), "4711"), ((4711, 4712, 4713, 4714, 4715), "4711 …")])
def test_many_browsers_take_no_more_room_than_two(pids: tuple[int, ...], listed: str) -> None:
    assert Browsers(pids, 0).listed == listed


async def test_addresses_stay_whole_in_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "http://127.0.0.1:26838/" + "x" * 80
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(status, "describe", lambda _: {"processes": {"postgres": {"pid": os.getpid(), "url": address}}})
    monkeypatch.setattr(status, "answers", lambda _: no)
    await status.show(Folder(tmp_path))
    assert address in capsys.readouterr().out


async def no() -> bool:
    """What a process says that does not serve."""
    return False


async def test_a_bridge_without_browsers_and_one_that_is_gone_have_no_row(gone: int) -> None:
    assert browsers_of(gone).pids == ()
    rows = await rows_of({"webjs-bridge": {"pid": gone}})
    assert [row[0] for row in rows] == ["webjs-bridge"]
