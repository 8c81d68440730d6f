"""Processes of a browser: weighed, watched and killed together."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blazz_webjs_bridge.page import process_tree
from blazz_webjs_bridge.page.process_tree import ProcessTree, kill_of_profile

PARENT = (
    "import subprocess, sys; "
    "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE); "
    "print(child.pid, flush=True); sys.stdin.read()"
)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A process with a child, and the child's pid."""
    command = [sys.executable, "-c", PARENT, f"--user-data-dir={tmp_path}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        yield parent, int(parent.stdout.readline())
        parent.kill()


def test_memory_and_cpu_are_those_of_all_and_nothing_when_they_are_gone(
    family: tuple[subprocess.Popen[bytes], int],
) -> None:
    parent, child = family
    tree = ProcessTree(parent.pid)
    assert tree.memory() > ProcessTree(child).memory() > 0
    limit = time.monotonic() + 10
    while tree.cpu() == 0:  # the kernel counts in hundredths of a second: somebody has to use some
        assert time.monotonic() < limit
        tree.memory()
    tree.kill()
    parent.wait(5)
    assert (tree.memory(), tree.cpu()) == (0, 0)
    tree.kill()


@pytest.mark.parametrize("kernel", ["new", "old"])
async def test_the_end_of_the_main_process_is_noticed(
    family: tuple[subprocess.Popen[bytes], int], kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, _ = family
    if kernel == "old":
        monkeypatch.setattr(process_tree, "POLL", 0.01)
        monkeypatch.setattr(os, "pidfd_open", lambda *_: (_ for _ in ()).throw(OSError(38, "not there")))
    waiting = asyncio.ensure_future(ProcessTree(parent.pid).wait_ended())
    await asyncio.sleep(0)
    assert not waiting.done()
    parent.kill()
    parent.wait(5)
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(_dead(parent.pid).wait_ended(), 5)


def _dead(pid: int) -> ProcessTree:
    tree = ProcessTree(os.getpid())
    tree.pid = pid
    return tree


def test_whatever_runs_on_a_profile_is_killed_and_nothing_else(
    family: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    parent, _ = family
    assert kill_of_profile(tmp_path / "another") == 0
    assert kill_of_profile(tmp_path) == 1
    parent.wait(5)
