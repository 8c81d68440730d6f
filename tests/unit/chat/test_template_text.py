"""What a template message says in words."""

import tracemalloc
from typing import Any
from uuid import uuid4

import pytest
from blazz_chat.template_text import NotRendered, rendered
from blazz_contracts.content import CONTENT

ORDER: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
    {"type": "BODY", "text": "Hello {{1}}, your {{2}} is on its way, {{1}}."},
    {"type": "FOOTER", "text": "The shop"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "URL", "text": "Track it", "url": "https://shop.example/track/{{1}}"},
            {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+31201234567"},
            {"type": "QUICK_REPLY", "text": "Thank you"},
            {"type": "QUICK_REPLY", "text": "Stop"},
        ],
    },
]


def words(*values: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": value} for value in values]


GIVEN: list[dict[str, Any]] = [
    {"type": "header", "parameters": words("A-1")},
    {"type": "body", "parameters": words("Ada", "lamp")},
    {"type": "button", "sub_type": "url", "index": "0", "parameters": words("A 1")},
    {"type": "button", "sub_type": "quick_reply", "index": 2, "parameters": [{"type": "payload", "payload": "x"}]},
]


def code(components: list[dict[str, Any]], given: list[dict[str, Any]]) -> str:
    with pytest.raises(NotRendered) as refused:
        rendered(components, given).content()
    return refused.value.failure.code


def test_variables_footer_and_buttons_become_readable_lines() -> None:
    assert rendered(ORDER, GIVEN).content() == {
        "type": "text",
        "body": "Order A-1\n\nHello Ada, your lamp is on its way, Ada.\n\nThe shop\n\n"
        "Track it: https://shop.example/track/A%201\nCall us: +31201234567\n• Thank you\n• Stop",
    }


def test_named_parameters_find_their_places_in_any_order() -> None:
    components = [{"type": "BODY", "text": "{{first}} and {{last}}"}]
    parameters = [{**words(value)[0], "parameter_name": name} for name, value in (("last", "B"), ("first", "A"))]
    assert rendered(components, [{"type": "BODY", "parameters": parameters}]).text == "A and B"


def test_numbered_parameters_are_taken_in_the_order_of_their_numbers() -> None:
    components = [{"type": "BODY", "text": "{{2}} before {{1}}"}]
    assert rendered(components, [{"type": "body", "parameters": words("one", "two")}]).text == "two before one"


def test_a_value_that_looks_like_a_variable_stays_as_it_is() -> None:
    components = [{"type": "BODY", "text": "{{1}} {{2}}"}]
    assert rendered(components, [{"type": "body", "parameters": words("{{2}}", "x")}]).text == "{{2}} x"


def test_money_and_dates_say_what_they_fall_back_on() -> None:
    money = {"type": "currency", "currency": {"fallback_value": "€ 9", "code": "EUR", "amount_1000": 9000}}
    date = {"type": "date_time", "date_time": {"fallback_value": "1 May"}}
    components = [{"type": "BODY", "text": "{{1}} until {{2}}"}]
    assert rendered(components, [{"type": "body", "parameters": [money, date]}]).text == "€ 9 until 1 May"


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_a_header_with_a_file_becomes_that_file_with_the_text_as_its_caption(kind: str) -> None:
    components = [{"type": "HEADER", "format": kind.upper()}, {"type": "BODY", "text": "Look"}]
    upload = str(uuid4())
    for named, field in (({"link": "https://a.example/f"}, "link"), ({"id": upload}, "media_id")):
        given = [{"type": "header", "parameters": [{"type": kind, kind: named | {"filename": "a.pdf"}}]}]
        content = CONTENT.validate_python(rendered(components, given).content())
        assert (content.type, content.caption, str(getattr(content, field))) == (  # type: ignore[union-attr]
            kind, "Look", next(iter(named.values())),
        )  # fmt: skip
        assert getattr(content, "filename", None) == ("a.pdf" if kind == "document" else None)


def test_a_header_with_a_file_needs_a_link_or_an_upload() -> None:
    components = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look"}]
    assert code(components, []) == "template_parameters"
    for named in ({}, {"link": "file:///etc/passwd"}, {"id": "1234567890"}, {"link": 7}):
        assert code(components, [{"type": "header", "parameters": [{"type": "image", "image": named}]}]) == (
            "template_parameters"
        )


@pytest.mark.parametrize(
    "given",
    [
        [],
        [*GIVEN[:1], {"type": "body", "parameters": words("Ada")}, *GIVEN[2:]],
        [*GIVEN[:1], {"type": "body", "parameters": words("Ada", "lamp", "more")}, *GIVEN[2:]],
        [*GIVEN[:1], {"type": "body", "parameters": words("Ada", " ")}, *GIVEN[2:]],
        [*GIVEN, {"type": "footer", "parameters": words("x")}],
        [*GIVEN, {"type": "button", "index": "1", "parameters": words("x")}],
        [*GIVEN, {"type": "button", "index": "9", "parameters": words("x")}],
        [*GIVEN, {"parameters": words("x")}],
        [*GIVEN, GIVEN[1]],
    ],
)
def test_missing_empty_and_superfluous_parameters_are_refused(given: list[dict[str, Any]]) -> None:
    assert code(ORDER, given) == "template_parameters"


def test_a_name_that_the_template_does_not_have_is_refused() -> None:
    parameters = [{**words("A")[0], "parameter_name": "other"}]
    components = [{"type": "BODY", "text": "{{first}}"}]
    assert code(components, [{"type": "body", "parameters": parameters}]) == "template_parameters"


@pytest.mark.parametrize(
    "components",
    [
        [{"type": "BODY", "text": "x"}, {"type": "CAROUSEL", "cards": []}],
        [{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "x"}],
        [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "x"}]}],
        [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": ["x"]}],
        [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [None]}],
        [],
    ],
)
def test_what_cannot_be_written_as_text_is_refused(components: list[dict[str, Any]]) -> None:
    assert code(components, []) == "template_not_renderable"


def test_a_caption_over_1024_and_a_text_over_4096_characters_are_refused() -> None:
    body = [{"type": "BODY", "text": "{{1}}"}]
    given = [{"type": "body", "parameters": words("x" * 1025)}]
    file = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/f"}}]}
    assert rendered(body, given).content()["type"] == "text"
    assert code([{"type": "HEADER", "format": "IMAGE"}, *body], [file, *given]) == "template_too_long"
    assert code(body, [{"type": "body", "parameters": words("x" * 4097)}]) == "template_too_long"


def test_a_value_longer_than_a_text_is_refused_before_it_is_put_in_place() -> None:
    long = "x" * 4097
    url = [{"type": "URL", "text": "Open", "url": "https://a.example/{{1}}"}]
    copied = [{"type": "COPY_CODE", "text": "Copy"}]
    coupon = [{"type": "coupon_code", "coupon_code": long}]
    in_button = {"type": "button", "index": 0}
    for component, given in (
        ({"type": "HEADER", "format": "TEXT", "text": "{{1}}"}, {"type": "header", "parameters": words(long)}),
        ({"type": "BODY", "text": "{{1}}"}, {"type": "body", "parameters": words(long)}),
        ({"type": "BUTTONS", "buttons": url}, in_button | {"parameters": words(long)}),
        ({"type": "BUTTONS", "buttons": copied}, in_button | {"parameters": coupon}),
    ):
        with pytest.raises(NotRendered) as refused:
            rendered([component], [given])
        assert refused.value.failure.code == "template_too_long"
        assert "4097" in refused.value.failure.title


def test_a_variable_in_many_places_is_counted_before_it_is_put_there() -> None:
    """Peaks at what is refused, not at what it would have become."""
    value = {"parameters": words("ß" * 4096)}
    for component, given in (
        ({"type": "BODY", "text": "{{a}}" * 204}, {"type": "body"}),
        ({"type": "BUTTONS", "buttons": [{"type": "URL", "text": "x", "url": "{{1}}" * 400}]}, {"type": "button"}),
    ):
        tracemalloc.start()
        try:
            with pytest.raises(NotRendered) as refused:
                rendered([component], [given | value])
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert refused.value.failure.code == "template_too_long"
        assert most < 500_000


def test_what_is_long_for_whatsapp_web_can_still_be_read() -> None:
    given = [{"type": "body", "parameters": words("x" * 4096, "y" * 4096)}]
    assert len(rendered([{"type": "BODY", "text": "{{1}}{{2}}"}], given).text) == 8192


def test_a_code_to_copy_is_shown() -> None:
    components = [
        {"type": "BODY", "text": "Sale"},
        {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "Copy code"}]},
    ]
    coupon = [{"type": "button", "index": 0, "parameters": [{"type": "coupon_code", "coupon_code": "25OFF"}]}]
    assert rendered(components, coupon).text == "Sale\n\nCopy code: 25OFF"
    assert code(components, []) == "template_parameters"


def test_odd_shapes_are_refused_and_never_break() -> None:
    for given in (
        [{"type": "body", "parameters": "x"}],
        [{"type": "body", "parameters": [None, 1]}],
        [{"type": "body", "parameters": [{"type": "text", "text": {"a": 1}}]}],
        [{"type": None, "parameters": [{}]}],
    ):
        assert code([{"type": "BODY", "text": "{{1}}"}], given) == "template_parameters"
