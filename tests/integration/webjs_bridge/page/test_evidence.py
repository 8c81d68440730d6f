"""What failures leave for people to look into."""

import zipfile
from pathlib import Path

import pytest
from blazz_webjs_bridge.page.errors import BrowserFailed
from blazz_webjs_bridge.page.facts import QrShown

from tests.integration.webjs_bridge.page.conftest import Open
from tests.support.polling import until

SHOW = """words => { document.body.innerHTML =
  `<p style="font: 20px monospace">${words}</p><input value="${words}"><svg><text y=20>${words}</text></svg>`; }"""


def files(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def everything(folder: Path) -> bytes:
    """What the log and the trace say, unpacked."""
    told = [path.read_bytes() for path in files(folder, "*.log")]
    for path in files(folder, "*.zip"):
        with zipfile.ZipFile(path) as trace:
            told += [trace.read(name) for name in trace.namelist()]
    return b"".join(told)


async def test_a_picture_shows_where_words_are_and_not_which(open_page: Open, tmp_path: Path) -> None:
    async with open_page(evidence=tmp_path) as driven:
        evidence, pictures = driven.page.evidence, []
        assert evidence is not None
        await driven.hears(QrShown)
        for words in ("my secret one", "a public word"):
            await driven.page._page.evaluate(SHOW, words)
            pictures.append(await evidence._picture())
            assert await driven.page._page.evaluate("() => document.adoptedStyleSheets.length") == 0
        assert pictures[0] is not None
        assert pictures[0] == pictures[1]


async def test_a_call_that_times_out_leaves_a_console_log_and_a_trace_without_words(
    open_page: Open, tmp_path: Path
) -> None:
    async with open_page(evidence=tmp_path, trace=True) as driven:
        await driven.link()
        person = await driven.somebody()
        await driven.send(person.chat, text="my secret")
        await driven.page._page.evaluate("() => console.warn('Cannot open', 4915112345678, 'my secret')")
        await driven.freeze(1.5)
        await until(lambda: files(tmp_path, "*.zip"), what="the trace")
        assert files(tmp_path, "*.log")[0].stem.endswith("-page_timeout")
        assert "warning - Cannot open" in files(tmp_path, "*.log")[0].read_text()
        told = everything(tmp_path)
        assert b'"method":"evaluateExpression"' in told.replace(b": ", b":")
        for words in (b"secret", b"49151", (person.phone or "").encode(), driven.phone.encode(), b"127.0.0.1"):
            assert words not in told


async def test_a_page_that_does_not_load_leaves_evidence_of_it(open_page: Open, tmp_path: Path) -> None:
    with pytest.raises(BrowserFailed):
        async with open_page(address="http://127.0.0.1:9/", evidence=tmp_path):
            pass
    assert [path.stem.split("-")[1] for path in files(tmp_path, "*.log")] == ["open_failed"]
