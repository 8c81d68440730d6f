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
SECOND = (CLONE / "README.md").read_text().split("\n## A second tour")[1].split("\n## ")[0]
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


UNTIL = """
for _ in $(seq 300); do
  curl "$API/api/v1/{path}" -H "Authorization: Bearer $TOKEN" | grep -q {word} && break
  sleep 0.1
done
"""
"""A newcomer looks again and again until the page says what the tour says it will."""


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour uses curl")
def test_the_second_tour_links_a_number_and_a_message_goes_each_way(stack: dict[str, Any]) -> None:
    make, scan, talk = re.findall(r"```sh\n(.*?)```", SECOND, re.DOTALL)
    steps = [
        make,
        UNTIL.format(path="sessions/$SESSION", word='\'"state":"qr"\''),
        scan,
        UNTIL.format(path="sessions/$SESSION", word='\'"state":"ready"\''),
        *talk.strip().split("\n\n")[:2],
        UNTIL.format(path="contacts/$CONTACT/messages", word="'Hi there, web!'"),
    ]
    last = talk.strip().split("\n\n")[2]
    forget = 'curl -X DELETE "$API/api/v1/sessions/$SESSION" -H "Authorization: Bearer $TOKEN" > /dev/null'
    script = "\n".join([exports_of(stack), "{", *steps, "} > /dev/null", last, forget])
    script = script.replace("curl ", "curl --silent --show-error --fail-with-body ")
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    said = {message["text"] for message in json.loads(done.stdout)["items"]}
    assert {"Hello by WhatsApp Web", "Hi there, web!"} <= said
