"""The tour of the README, as a newcomer pastes it."""

import json
import re
import shutil
import subprocess
import time
from typing import Any

import pytest
from blazz_local import CLONE
from blazz_local.status import exports_of

TOUR = (CLONE / "README.md").read_text().split("\n## A tour\n")[1].split("\n## ")[0]
COMMANDS = [
    command
    for block in re.findall(r"```sh\n(.*?)```", TOUR, re.DOTALL)
    for command in re.split(r"\n\n", block.strip())
    if "curl" in command
]


PASTED_WITHIN = 15.0
"""Seconds a newcomer takes to paste the next command; what the one before asked for is stored by then."""


def run(command: str, stack: dict[str, Any]) -> dict[str, Any]:
    """Paste one command into a shell."""
    script = f"{exports_of(stack)}\n{command.replace('curl ', 'curl --silent --show-error --fail-with-body ')}"
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour uses curl")
def test_every_command_of_the_tour_works_in_its_order(stack: dict[str, Any]) -> None:
    send, answer, read, start, watch = COMMANDS
    sent = run(send, stack)
    run(answer, stack)
    limit = time.monotonic() + PASTED_WITHIN
    while sent["id"] not in {message["id"] for message in run(read, stack)["items"]}:
        assert time.monotonic() < limit, "the message is not in the conversation"
    campaign = run(start, stack)
    assert campaign["id"] in {one["id"] for one in run(watch, stack)["items"]}
