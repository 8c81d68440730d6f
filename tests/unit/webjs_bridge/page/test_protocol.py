"""Calls and answers, whatever the page says."""

import json
from typing import Any

import pytest
from blazz_webjs_bridge.page.calls import Call, FindMessage, History, Send, State
from blazz_webjs_bridge.page.errors import PageGarbled, PageRefused, PageTimeout
from blazz_webjs_bridge.page.protocol import ARGUMENT_CHARACTERS, arguments, read
from blazz_webjs_bridge.page.script_source import ANSWER_CHARACTERS, FILES, settings, source

FIND = FindMessage(id="true_1@c.us_3EB0")
STATE = {"injected": True, "ready": True, "authenticated": False, "main_ready": False, "online": True}


def test_a_call_goes_by_its_name_with_its_fields_and_a_little_less_time_than_we_wait() -> None:
    name, args, limit = arguments(FIND, 10)
    assert (name, args) == ("findMessage", {"id": "true_1@c.us_3EB0"})
    assert 9_000 <= limit < 10_000
    assert 0 < arguments(FIND, 0.1)[2] < 100


def test_the_path_of_a_file_stays_here_and_its_token_goes() -> None:
    send = Send(chat="1@c.us", id="true_1@c.us_3EB0", type="image", path="/etc/passwd")
    _, args, _ = arguments(send, 10, "token")
    assert "path" not in args
    assert args["file"] == "token"


def test_arguments_beyond_their_bound_are_refused_here() -> None:
    with pytest.raises(PageRefused) as refused:
        arguments(Send(chat="1@c.us", id="true_1@c.us_3EB0", type="text", text="x" * ARGUMENT_CHARACTERS), 10)
    assert refused.value.reason == "arguments_too_large"


def test_an_answer_is_read_by_its_model_and_what_is_new_in_it_passed_over() -> None:
    state = read(json.dumps({"ok": {**STATE, "of_next_week": 1}}), State())
    assert (state.injected, state.authenticated) == (True, False)
    assert read('{"ok": null}', FIND) is None
    assert read('{"ok": []}', History(since=0)) == []


@pytest.mark.parametrize(
    "raw",
    [
        None, 7, {}, "", "{", "[]", "7", "{}", '{"ok": 7}', '{"ok": {"id": 1}}', '{"error": 7}', '{"error": {}}',
        '{"error": {"code": ""}}', '{"ok": ' + "[" * 100_000, "x" * (ANSWER_CHARACTERS + 1),
    ],
)  # fmt: skip
def test_whatever_else_a_page_answers_is_garbled(raw: Any) -> None:
    with pytest.raises(PageGarbled):
        read(raw, FIND)


def test_what_is_garbled_is_told_by_its_place_and_never_by_its_words() -> None:
    call: Call[Any] = History(since=0)
    with pytest.raises(PageGarbled) as garbled:
        read(json.dumps({"ok": [{"id": "false_1@c.us_3EB0", "text": "my secret", "at": "my secret"}]}), call)
    assert "secret" not in str(garbled.value)
    assert "0." in str(garbled.value)


def test_a_refusal_keeps_its_code_and_sentence_and_lateness_is_a_timeout() -> None:
    with pytest.raises(PageRefused) as refused:
        read('{"error": {"code": "chat_not_found", "message": "Chat not found"}}', FIND)
    assert (refused.value.reason, refused.value.detail) == ("chat_not_found", "Chat not found")
    assert not refused.value.passing
    with pytest.raises(PageTimeout):
        read('{"error": {"code": "timeout"}}', FIND)
    with pytest.raises(PageRefused) as refused:
        read('{"error": {"code": "not_ready"}}', FIND)
    assert refused.value.passing


def test_the_script_is_one_scope_that_knows_its_site_and_wa_js_reports_to_nobody() -> None:
    script = source('https://a"b')
    assert script.startswith("(() => {")
    assert script.endswith("})();")
    assert 'const ORIGIN = "https://a\\"b";' in script
    assert len(FILES) == len(set(FILES))
    assert "disableGoogleAnalytics: true" in settings()
    assert "linkPreviewApiServers: []" in settings()
