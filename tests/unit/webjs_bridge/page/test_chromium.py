"""Which Chromium is run, and what it calls itself."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blazz_webjs_bridge.page.chromium import Chromium, masked_agent, masked_identity
from blazz_webjs_bridge.page.errors import BrowserFailed, BrowserMissing


def program(path: Path, said: str = "Chromium 150.0.7871.100 built on Debian") -> Path:
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return path


def own(path: Path) -> Any:
    return SimpleNamespace(chromium=SimpleNamespace(executable_path=str(path)))


def test_the_one_that_is_asked_for_comes_first(tmp_path: Path) -> None:
    asked, other = program(tmp_path / "asked"), program(tmp_path / "other")
    assert Chromium.find(asked, playwright=own(other)).path == asked


def test_playwrights_own_comes_before_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, other = program(tmp_path / "chromium"), program(tmp_path / "own")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Chromium.find(playwright=own(other)).path == other
    assert Chromium.find(playwright=own(tmp_path / "not installed")).path == system


@pytest.mark.parametrize("asked", [None, "/nowhere/chromium"])
def test_no_chromium_is_one_sentence_on_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserMissing, match="apt install chromium"):
        Chromium.find(asked)


def test_what_cannot_be_run_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "chromium").write_text("text")
    with pytest.raises(BrowserMissing):
        Chromium.find(tmp_path / "chromium")


async def test_its_flags_carry_a_user_agent_of_its_version(tmp_path: Path) -> None:
    chromium = Chromium.find(program(tmp_path / "chromium"))
    flags = await chromium.arguments()
    assert f"--user-agent={masked_agent('150.0.7871.100')}" in flags
    assert len(flags) == len(set(flags))


async def test_a_program_that_says_no_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrowserFailed, match="version"):
        await Chromium.find(program(tmp_path / "chromium", "hello")).version()


def test_what_it_calls_itself_has_a_window() -> None:
    identity = masked_identity("150.0.7871.100")
    assert "Chrome/150.0.0.0" in identity["userAgent"]
    assert "Headless" not in str(identity)
    assert {"brand": "Chromium", "version": "150"} in identity["userAgentMetadata"]["brands"]
