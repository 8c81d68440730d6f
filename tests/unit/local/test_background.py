"""`up --detach` returns when the stack is ready, in whatever order it hears of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blazz_local import Folder, background


@pytest.mark.parametrize(
    "pieces", [["Blazz is ready: …\n", ""], ["Blazz is re", "ady: …\n"], ["", "Blazz is ready: …\n"]]
)
def test_it_returns_though_the_line_was_read_before_the_description(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[str]
) -> None:
    folder = Folder(tmp_path)
    folder.create()
    log = folder.log("supervisor")
    log.write_text(pieces[0])
    process: Any = SimpleNamespace(pid=4711, poll=lambda: None)
    descriptions = iter([{}, {"supervisor_pid": 4711}, {"supervisor_pid": 4711}])
    # Asked for more often it raises StopIteration: then it would wait for ever.
    monkeypatch.setattr(background, "read_json", lambda _: next(descriptions))

    def sleep(_: float) -> None:
        with log.open("a") as file:
            file.write(pieces[1])
        pieces[1] = ""

    monkeypatch.setattr(background.time, "sleep", sleep)
    background._wait(folder, process, 0)
