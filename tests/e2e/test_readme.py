"""The tour of the README, as a newcomer pastes it."""

import json
import re
import shutil
import subprocess
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


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour uses curl")
def test_every_command_of_the_tour_works_in_its_order(stack: dict[str, Any]) -> None:
    assert len(COMMANDS) == 5
    answers = []
    for command in COMMANDS:
        script = f"{exports_of(stack)}\n{command.replace('curl ', 'curl --silent --show-error --fail-with-body ')}"
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        answers.append(json.loads(done.stdout))
    sent, _, conversation, campaign, campaigns = answers
    assert sent["id"] in {message["id"] for message in conversation["items"]}
    assert campaign["id"] in {one["id"] for one in campaigns["items"]}
