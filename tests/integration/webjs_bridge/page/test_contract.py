"""wa-js as it is pinned has what our script uses of it."""

import re
from pathlib import Path

from blazz_webjs_bridge.page.contract import CHECK, EVENTS, FUNCTIONS
from blazz_webjs_bridge.page.declarations import Declarations, changes, missing_events
from blazz_webjs_bridge.page.script_source import FILES, source

from tests.integration.webjs_bridge.page.conftest import Driven


async def test_every_function_is_there_and_answers_in_the_shape_we_read(linked: Driven) -> None:
    assert await linked.page.broken() == []


async def test_a_function_that_is_not_there_is_found_out(linked: Driven) -> None:
    gone = [
        {"path": "chat.sendPigeon", "kind": "function", "answers": None},
        {"path": "nothing.at.all", "kind": "function", "answers": None},
        {"path": "chat.list", "kind": "function", "answers": "value => value === 7"},
    ]
    assert len(await linked.page._page.evaluate(CHECK, gone)) == 3


def test_every_event_is_declared_with_the_fields_we_read(wa_js: Path) -> None:
    assert missing_events(Declarations(wa_js.parents[1])) == []


def test_every_function_has_a_signature_to_compare_releases_by(wa_js: Path) -> None:
    declared = Declarations(wa_js.parents[1])
    modules = [f.path for f in FUNCTIONS if f.kind == "function" and f.path.count(".") == 1]
    assert [path for path in modules if not declared.signature(path)] == []
    assert changes(declared, declared) == []


def test_the_script_uses_nothing_that_the_contract_does_not_name() -> None:
    """A path such as `WPP.chat.list`, and an event such as `on("chat.new_message", …)`."""
    script = re.sub(r"//.*", "", source("http:site"))
    assert len(FILES) > 1
    used = set(re.findall(r"\bWPP\.((?:\w+\.)*\w+)", script))
    paths = {function.path for function in FUNCTIONS}
    rooms = {path.rsplit(".", 1)[0] for path in paths}
    assert used - paths - rooms == set()
    heard = set(re.findall(r"\b(?:on|event)\(\"([a-z]+\.[a-z_]+)\"", script))
    assert heard == {event.name for event in EVENTS}
