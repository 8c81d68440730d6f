"""One more workspace is made with what the stack's gateway runs with."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blazz_local import workspace
from blazz_local.errors import NotRunning
from blazz_local.folder import Folder


@pytest.fixture
def gateway() -> Iterator[subprocess.Popen[bytes]]:
    """A process with the environment of a gateway."""
    process = subprocess.Popen(["sleep", "60"], env={"BLAZZ_DATABASE_API_URL": "postgresql://gateway"})
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def ran(gateway: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The commands that were run, each with its environment."""
    ran: list[Any] = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> SimpleNamespace:
        ran.append((command[1:], env))
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(workspace, "describe", lambda _: {"processes": {"gateway": {"pid": gateway.pid}}})
    monkeypatch.setattr(workspace.subprocess, "run", run)
    monkeypatch.delenv("BLAZZ_OWNER_PASSWORD", raising=False)
    return ran


def create(folder: Path) -> int:
    return workspace.create(Folder(folder), name="Shop", email="owner@shop.test", token="local")


def test_the_gateways_command_runs_with_its_environment_and_its_status_is_told(
    ran: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert create(tmp_path) == 3
    monkeypatch.setenv("BLAZZ_OWNER_PASSWORD", "from the caller")
    create(tmp_path)
    (command, asking), (_, giving) = ran
    assert command == [
        *("-m", "blazz_gateway", "create-workspace"),
        *("--name", "Shop", "--email", "owner@shop.test", "--token", "local"),
    ]
    assert asking == {"BLAZZ_DATABASE_API_URL": "postgresql://gateway"}
    assert giving == asking | {"BLAZZ_OWNER_PASSWORD": "from the caller"}


def test_a_gateway_that_is_just_gone_is_said_to_be(
    ran: list[Any], gateway: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    gateway.kill()
    gateway.wait()
    with pytest.raises(NotRunning):
        create(tmp_path)
    assert ran == []
