"""What WhatsApp takes and refuses, type by type."""

from typing import Any

import pytest
from blazz_simulator.accounts import Accounts
from blazz_simulator.graph.checks.interactive import interactive
from blazz_simulator.graph.checks.media import media
from blazz_simulator.graph.checks.simple import contacts, location, reaction, text
from blazz_simulator.graph.checks.template import template
from blazz_simulator.graph.checks.template_definition import components_of, language_of, name_of
from blazz_simulator.graph.errors import GraphError
from blazz_simulator.media import Library
from blazz_simulator.settings import Settings
from blazz_simulator.templates import Template, Templates

SETTINGS = Settings()
ACCOUNT = Accounts(SETTINGS).default
LIBRARY = Library(SETTINGS)


def code_of(check: Any, *given: Any) -> int:
    """Return the code with which a check refuses."""
    with pytest.raises(GraphError) as refused:
        check(*given)
    return refused.value.code


@pytest.mark.parametrize("data", [{"body": "a"}, {"body": "x" * 4096, "preview_url": True}, {"body": "🙂"}])
def test_a_text_of_up_to_4096_characters_is_accepted(data: Any) -> None:
    text(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, 131008),
        ("hello", 100),
        ({}, 131008),
        ({"body": ""}, 131008),
        ({"body": " \n"}, 131009),
        ({"body": 5}, 100),
        ({"body": "x" * 4097}, 100),
        ({"body": "a", "preview": True}, 100),
        ({"body": "a", "preview_url": "perhaps"}, 100),
    ],
)
def test_a_wrong_text_is_refused(data: Any, code: int) -> None:
    assert code_of(text, data) == code


@pytest.mark.parametrize("emoji", ["👍", "", "❤️", "👩‍👩‍👧"])
def test_a_reaction_is_an_emoji_or_nothing(emoji: str) -> None:
    reaction({"message_id": "wamid.x", "emoji": emoji})
    assert code_of(reaction, {"message_id": "wamid.x", "emoji": "ok"}) == 131009
    assert code_of(reaction, {"message_id": "wamid.x"}) == 131008
    assert code_of(reaction, {"emoji": emoji}) == 131008


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"latitude": 1}, 131008),
        ({"latitude": "north", "longitude": 1}, 100),
        ({"latitude": True, "longitude": 1}, 100),
        ({"latitude": 91, "longitude": 1}, 131009),
        ({"latitude": 1, "longitude": float("nan")}, 131009),
        ({"latitude": 1, "longitude": 1, "nam": "x"}, 100),
    ],
)
def test_a_wrong_place_is_refused(data: Any, code: int) -> None:
    location({"latitude": 1, "longitude": "-122.4", "name": "HQ"})
    assert code_of(location, data) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], 131009),
        ({}, 100),
        ([{"phones": []}], 131008),
        ([{"name": {"formatted_name": "Ada"}}], 131008),
        ([{"name": {"formatted_name": "Ada", "first_name": "Ada"}, "phone": []}], 100),
        ([{"name": {"formatted_name": "Ada", "first_name": "Ada"}, "phones": ["1"]}], 100),
    ],
)
def test_wrong_contacts_are_refused(data: Any, code: int) -> None:
    contacts([{"name": {"formatted_name": "Ada", "first_name": "Ada"}, "phones": [{"phone": "1"}]}])
    assert code_of(contacts, data) == code


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("image", {}, 131008),
        ("image", {"id": "1", "link": "https://x.y/z"}, 100),
        ("image", {"link": "ftp://x.y/z"}, 100),
        ("image", {"link": "https://x.y/z", "caption": "x" * 1025}, 100),
        ("image", {"link": "https://x.y/z", "filename": "a"}, 100),
        ("audio", {"link": "https://x.y/z", "caption": "a"}, 100),
        ("video", {"id": "12345"}, 131009),
    ],
)
def test_wrong_media_are_refused(kind: str, data: Any, code: int) -> None:
    media("document", {"link": "https://x.y/z", "caption": "c", "filename": "f"}, ACCOUNT, LIBRARY)
    assert code_of(media, kind, data, ACCOUNT, LIBRARY) == code


def _buttons(count: int, title: str = "b") -> dict[str, Any]:
    buttons = [{"type": "reply", "reply": {"id": f"i{n}", "title": f"{title}{n}"}} for n in range(count)]
    return {"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}


def _list(rows: int, sections: int = 1) -> dict[str, Any]:
    made = [
        {"title": f"s{s}", "rows": [{"id": f"{s}-{r}", "title": f"r{r}"} for r in range(rows)]} for s in range(sections)
    ]
    return {"type": "list", "body": {"text": "?"}, "action": {"button": "Open", "sections": made}}


@pytest.mark.parametrize(
    "data",
    [
        _buttons(3),
        _list(10),
        _list(2, 5),
        {
            "type": "cta_url",
            "body": {"text": "b"},
            "action": {"name": "cta_url", "parameters": {"display_text": "Go", "url": "https://x.y"}},
        },
        {
            "type": "flow",
            "body": {"text": "b"},
            "action": {
                "name": "flow",
                "parameters": {"flow_message_version": "3", "flow_cta": "Go", "flow_id": "1"},
            },
        },
        {"type": "location_request_message", "body": {"text": "b"}, "action": {"name": "send_location"}},
        {"type": "product", "action": {"catalog_id": "1", "product_retailer_id": "2"}},
    ],
)
def test_interactive_messages_in_their_limits_are_accepted(data: Any) -> None:
    interactive(data, ACCOUNT, LIBRARY)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({**_buttons(1), "type": "buttons"}, 100),
        ({**_buttons(1), "boby": {}}, 100),
        ({**_buttons(1), "body": None}, 131008),
        ({**_buttons(1), "footer": {"text": "x" * 61}}, 100),
        ({**_buttons(1), "header": {"type": "text", "text": "x" * 61}}, 100),
        ({**_buttons(1), "header": {"type": "image", "image": {}}}, 131008),
        ({**_list(1), "header": {"type": "image", "image": {"link": "https://x.y"}}}, 131009),
        (_buttons(0), 131009),
        (_buttons(4), 131009),
        (_buttons(1, title="x" * 21), 100),
        ({**_buttons(1), "action": {"buttons": [_buttons(1)["action"]["buttons"][0]] * 2}}, 131009),
        (_list(11), 131009),
        (_list(6, 2), 131009),
        ({**_list(1), "action": {"button": "x" * 21, "sections": _list(1)["action"]["sections"]}}, 100),
        ({"type": "cta_url", "body": {"text": "b"}, "action": {"name": "cta_url"}}, 131008),
    ],
)
def test_interactive_messages_out_of_their_limits_are_refused(data: Any, code: int) -> None:
    assert code_of(interactive, data, ACCOUNT, LIBRARY) == code


def _template(*parameters: Any, **more: Any) -> dict[str, Any]:
    component = {"type": "body", "parameters": list(parameters)}
    return {"name": "t", "language": {"code": "en"}, "components": [component], **more}


def _templates(*components: dict[str, Any], format_: str = "POSITIONAL", status: Any = "APPROVED") -> Templates:
    templates = Templates()
    templates.add(Template(ACCOUNT.waba_id, "t", "en", "UTILITY", list(components), format_, status))
    return templates


def _words(*words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": word} for word in words]


BODY = {"type": "BODY", "text": "Hello {{1}} and {{2}}."}


def test_a_template_takes_exactly_its_parameters() -> None:
    templates = _templates(BODY)
    assert template(_template(*_words("a", "b")), ACCOUNT, LIBRARY, templates).name == "t"
    money = {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}}
    template(_template(money, *_words("b")), ACCOUNT, LIBRARY, templates)
    for given, code in (
        (_template(*_words("a")), 132000),
        (_template(*_words("a", "b", "c")), 132000),
        (_template(*_words("a", "b\tc")), 132012),
        (_template(*_words("a", "x" * 1020)), 132005),
        (_template(*_words("a"), {"type": "image"}), 132012),
        (_template(*_words("a", "b"), language={"code": "fr"}), 132001),
        (_template(*_words("a", "b"), language={}), 131008),
        (_template(*_words("a", "b"), components=[{"type": "nonsense"}]), 100),
        ({"language": {"code": "en"}}, 131008),
    ):
        assert code_of(template, given, ACCOUNT, LIBRARY, templates) == code


def test_named_variables_go_by_their_names() -> None:
    templates = _templates({"type": "BODY", "text": "Hello {{first}} and {{last}}."}, format_="NAMED")
    named = [{"type": "text", "parameter_name": name, "text": "x"} for name in ("last", "first")]
    template(_template(*named), ACCOUNT, LIBRARY, templates)
    assert code_of(template, _template(*_words("a", "b")), ACCOUNT, LIBRARY, templates) == 132000
    assert code_of(template, _template(named[0], named[0]), ACCOUNT, LIBRARY, templates) == 132000


def test_a_media_header_needs_its_media() -> None:
    templates = _templates({"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi."})
    image = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.y"}}]}
    video = {"type": "header", "parameters": [{"type": "video", "video": {"link": "https://x.y"}}]}
    template(_template(components=[image]), ACCOUNT, LIBRARY, templates)
    assert code_of(template, _template(components=[]), ACCOUNT, LIBRARY, templates) == 132012
    assert code_of(template, _template(components=[video]), ACCOUNT, LIBRARY, templates) == 132012


def test_a_url_button_with_a_variable_needs_its_value() -> None:
    buttons = {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Go", "url": "https://x.y/{{1}}"}]}
    templates = _templates({"type": "BODY", "text": "Hi."}, buttons)
    value = {"type": "button", "sub_type": "url", "index": "0", "parameters": _words("abc")}
    template(_template(components=[value]), ACCOUNT, LIBRARY, templates)
    assert code_of(template, _template(components=[]), ACCOUNT, LIBRARY, templates) == 131008
    assert code_of(template, _template(components=[{**value, "index": 1}]), ACCOUNT, LIBRARY, templates) == 132012
    wrong = {**value, "sub_type": "quick_reply"}
    assert code_of(template, _template(components=[wrong]), ACCOUNT, LIBRARY, templates) == 131009


@pytest.mark.parametrize(("status", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001)])
def test_only_an_approved_template_can_be_sent(status: str, code: int) -> None:
    templates = _templates({"type": "BODY", "text": "Hi."}, status=status)
    assert code_of(template, _template(components=[]), ACCOUNT, LIBRARY, templates) == code


@pytest.mark.parametrize(
    ("components", "code"),
    [
        (None, 131008),
        ([{"type": "FOOTER", "text": "f"}], 100),
        ([{"type": "BODY", "text": "Hi."}] * 2, 100),
        ([{"type": "BODY", "text": "x" * 1025}], 100),
        ([{"type": "BODY", "text": "Hi {{1}}."}], 100),
        ([{"type": "BODY", "text": "Hi {{2}}.", "example": {"body_text": [["a"]]}}], 100),
        ([{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["a"]]}}], 100),
        ([{"type": "BODY", "text": "Hi."}, {"type": "HEADER", "format": "SOUND"}], 100),
        ([{"type": "BODY", "text": "Hi."}, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}], 100),
        ([{"type": "BODY", "text": "Hi."}, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY"}]}], 131008),
    ],
)
def test_a_wrong_definition_is_refused(components: Any, code: int) -> None:
    assert code_of(components_of, components, "POSITIONAL") == code


def test_names_and_languages_have_a_form() -> None:
    assert name_of({"name": "order_update_2"}) == "order_update_2"
    assert language_of({"language": "pt_BR"}) == "pt_BR"
    assert code_of(name_of, {"name": "Order Update"}) == 100
    assert code_of(language_of, {"language": "english"}) == 100
