"""The small parts: ids, seals, addresses, masks, settings, crash points."""

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
from blazz_chassis import addresses, logging
from blazz_chassis.addresses import AddressRefused, check_outside, is_public
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


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)  # fmt: skip
def test_inside_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_outside_addresses_are_public() -> None:
    assert is_public("8.8.8.8")
    assert is_public("2606:4700:4700::1111")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost:8000/", "http://2130706433/", "http://[::1]/", "http://0x7f.1/",
        "ftp://8.8.8.8/", "http:///x", "http://user:pw@8.8.8.8/", "file:///etc/passwd", "http://8.8.8.8:99999/",
    ],
)  # fmt: skip
async def test_addresses_that_lead_inside_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as raised:
        await check_outside(url, field="url")
    assert raised.value.field == "url"


async def test_public_addresses_pass_and_local_ones_where_allowed() -> None:
    await check_outside("https://8.8.8.8/hook?x=1")
    await check_outside("http://127.0.0.1:9/", local_allowed=True)


async def test_a_name_that_turns_inside_after_the_check_gets_nowhere() -> None:
    async with addresses.outside_client(timeout=2) as client:
        with pytest.raises(Exception, match=r"no public address|Cannot connect|localhost"):
            await client.get("http://localhost:9/")


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
