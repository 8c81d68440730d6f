"""The small parts: ids, seals, masks, settings, crash points."""

import json
import logging as stdlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from blazz_chassis import logging
from blazz_chassis.errors import SettingsMissing
from blazz_chassis.ids import uuid7
from blazz_chassis.logging import MASK, mask_secrets
from blazz_chassis.seal import SealBroken, Sealer, new_key
from blazz_chassis.settings import ServiceSettings
from pydantic import SecretStr, ValidationError


def test_ids_only_grow() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {identifier.version for identifier in made} == {7}


def test_what_is_sealed_opens_with_old_and_new_keys() -> None:
    old, new = new_key(), new_key()
    sealed = Sealer(old).seal(b"secret")
    assert Sealer(f"{new}, {old}").open(sealed) == b"secret"
    rotated = Sealer(f"{new},{old}").rotate(sealed)
    assert Sealer(new).open(rotated) == b"secret"
    with pytest.raises(SealBroken):
        Sealer(new).open(sealed)


def test_secrets_are_masked_by_name_and_in_addresses() -> None:
    event: dict[str, Any] = {
        "event": "token_refreshed",
        "token": "abc",
        "headers": {"Authorization": "Bearer x", "accept": "*/*"},
        "items": [{"app_secret": "s", "n": 1}],
        "url": "amqp://user:pa55@host/vhost",
        "workspace_id": uuid4(),
        "routing_key": "message.sent",
        "hotpath": "x",
        "seal_key": "k",
    }
    masked = mask_secrets(None, "info", event)
    assert masked["event"] == "token_refreshed"
    assert masked["token"] == MASK
    assert masked["headers"] == {"Authorization": MASK, "accept": "*/*"}
    assert masked["items"] == [{"app_secret": MASK, "n": 1}]
    assert masked["url"] == f"amqp://user:{MASK}@host/vhost"
    assert (masked["routing_key"], masked["hotpath"], masked["seal_key"]) == ("message.sent", "x", MASK)
    assert masked["workspace_id"] == event["workspace_id"]


def test_production_logs_are_json_lines_with_service_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    root = stdlib.getLogger()
    before = list(root.handlers), root.level
    try:
        logging.configure(ServiceSettings(log_format="json", instance="i-1"), "chassis")
        structlog.get_logger("t").info("message_sent", message_id="m", api_key="k")
        stdlib.getLogger("other").warning("plain %s", "text")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()
        stdlib.captureWarnings(capture=False)
    assert lines[0] | {"timestamp": ""} == {
        "event": "message_sent", "message_id": "m", "api_key": MASK, "level": "info", "service": "chassis",
        "instance": "i-1", "timestamp": "",
    }  # fmt: skip
    assert (lines[1]["event"], lines[1]["logger"]) == ("plain text", "other")


def test_readable_logs_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    root = stdlib.getLogger()
    before = list(root.handlers), root.level
    try:
        logging.configure(ServiceSettings(log_format="console"), "chassis")
        structlog.get_logger("t").info("request", path="/templates/\0/en", headers={"x": "\x1b[2J"}, text="a\x9b b")
        stdlib.getLogger("other").warning("a\x07\rb\n\tc")
        try:
            raise ValueError("no \x1b[31mred")
        except ValueError:
            structlog.get_logger("t").exception("failed")
        said = capsys.readouterr().err
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()
        stdlib.captureWarnings(capture=False)
    assert {character for character in said if ord(character) < 32 or 127 <= ord(character) < 160} <= {"\n", "\t"}
    assert "path=/templates/\\x00/en" in said
    assert "a\\x07\\x0db\n\tc" in said
    assert "ValueError: no \\x1b[31mred" in said


def test_missing_settings_are_named_as_environment_variables() -> None:
    with pytest.raises(SettingsMissing, match="BLAZZ_AMQP_URL, BLAZZ_DATABASE_API_URL"):
        ServiceSettings(amqp_url=SecretStr(""), database_api_url=SecretStr("")).require("amqp_url", "database_api_url")


def test_a_short_context_key_is_refused_without_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLAZZ_CONTEXT_KEY", "short-key")
    with pytest.raises(ValidationError) as raised:
        ServiceSettings()
    assert "short-key" not in str(raised.value)


REACHES = """
from blazz_chassis import crashpoints
for n in range(5):
    crashpoints.reach("other")
    crashpoints.reach("here")
    print(n, flush=True)
"""


@pytest.mark.parametrize(
    ("environment", "printed", "killed"),
    [
        ({}, 5, False),
        ({"BLAZZ_ENV": "local", "BLAZZ_CRASH_POINT": "here"}, 0, True),
        ({"BLAZZ_ENV": "local", "BLAZZ_CRASH_POINT": "here:3"}, 2, True),
        ({"BLAZZ_ENV": "production", "BLAZZ_CRASH_POINT": "here"}, 5, False),
        ({"BLAZZ_CRASH_POINT": "here"}, 5, False),
    ],
)
def test_a_crash_point_kills_only_where_it_is_armed(environment: dict[str, str], printed: int, killed: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REACHES],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        check=False,
    )
    assert len(done.stdout.split()) == printed
    assert (done.returncode == -9) is killed


def test_a_crash_file_arms_a_running_process_once(tmp_path: Path) -> None:
    file = tmp_path / "crash"
    file.write_text("here:2\n")
    environment = {"PATH": os.environ["PATH"], "BLAZZ_ENV": "local", "BLAZZ_CRASH_FILE": str(file)}
    command = [sys.executable, "-c", REACHES]
    first = subprocess.run(command, env=environment, capture_output=True, check=False)
    second = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (first.returncode, len(first.stdout.split())) == (-9, 1)
    assert second.returncode == 0
