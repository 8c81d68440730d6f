"""Nobody's words are kept."""

import json
import os
import time
from pathlib import Path

import pytest
from blazz_webjs_bridge.page.evidence import masked_line, masked_trace, prune


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Module ContactStore was not found with e=>e", "Module ContactStore was not"),
        ('Cannot send "my secret" to 4915112345678', "Cannot send"),
        ("Failed for: my secret", "Failed"),
        ("4915112345678 wrote", ""),
        ("ada@example.com wrote", ""),
        ("Grüße", ""),
        ("", ""),
    ],
)
def test_of_a_console_line_its_first_plain_words_are_kept(said: str, kept: str) -> None:
    assert masked_line("error", "https://web.whatsapp.com/a/main.js?secret=1", said) == f"error main.js {kept}".rstrip()


def test_of_a_trace_what_was_done_and_when_is_kept() -> None:
    events = [
        {"type": "context-options", "version": 8, "options": {"userDataDir": "secret"}, "title": "secret"},
        {"type": "before", "callId": "1", "startTime": 1, "class": "Frame", "method": "evaluate", "params": "secret"},
        {"type": "after", "callId": "1", "endTime": 2, "result": "secret", "error": {"message": "secret"}},
        {"type": "console", "text": "secret"},
        {"type": "frame-snapshot", "html": "secret"},
        {"type": "event", "params": "secret"},
    ]  # fmt: skip
    kept = masked_trace([*(json.dumps(event) for event in events), "not json"])
    assert [json.loads(line)["type"] for line in kept] == ["context-options", "before", "after"]
    assert "secret" not in "".join(kept)
    assert json.loads(kept[2])["error"]


def test_failures_beyond_a_number_or_an_age_go_with_all_their_files(tmp_path: Path) -> None:
    for number in range(5):
        for ending in ("log", "png"):
            (tmp_path / f"2026010{number}T000000000000-x.{ending}").write_text("")
    os.utime(tmp_path / "20260104T000000000000-x.log", (0, time.time() - 100))
    (tmp_path / "not ours.txt").write_text("")
    prune(tmp_path, keep=3, keep_seconds=50)
    left = sorted({path.name[:8] for path in tmp_path.iterdir()})
    assert left == ["20260102", "20260103", "20260104", "not ours"]
    for path in tmp_path.glob("20260104*"):
        os.utime(path, (0, time.time() - 100))
    prune(tmp_path, keep=3, keep_seconds=50)
    assert not list(tmp_path.glob("20260104*"))
