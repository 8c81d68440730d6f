"""The lock of a profile."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from blazz_webjs_bridge.page import singleton
from blazz_webjs_bridge.page.errors import BrowserFailed


def lock(profile: Path, holder: str) -> None:
    (profile / "SingletonLock").symlink_to(holder)
    (profile / "SingletonCookie").symlink_to("123")
    (profile / "SingletonSocket").symlink_to("/tmp/nowhere/SingletonSocket")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[int]:
    """A process that has the profile in its command line."""
    code = "import sys; print('here', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, f"--user-data-dir={tmp_path}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_a_profile_without_a_lock_has_no_holder_and_clearing_it_is_nothing(tmp_path: Path) -> None:
    assert singleton.holder(tmp_path) is None
    singleton.clear(tmp_path)


@pytest.mark.parametrize("holder", ["another-host-{pid}", f"{socket.gethostname()}-4194305", "nonsense", "-", "x-y"])
def test_a_lock_that_nobody_here_holds_is_taken_away(tmp_path: Path, holder: str) -> None:
    lock(tmp_path, holder.replace("{pid}", str(os.getpid())))
    singleton.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_pid_that_is_somebody_elses_by_now_holds_nothing(tmp_path: Path) -> None:
    lock(tmp_path, f"{socket.gethostname()}-{os.getpid()}")
    singleton.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_live_browser_holds_stays(tmp_path: Path, browser: int) -> None:
    lock(tmp_path, f"{socket.gethostname()}-{browser}")
    assert singleton.holder(tmp_path) == browser
    with pytest.raises(BrowserFailed, match=str(browser)):
        singleton.clear(tmp_path)
    assert (tmp_path / "SingletonLock").is_symlink()
