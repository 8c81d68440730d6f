"""Everybody's own words."""

import json
from typing import Any

import pytest
from blazz_campaign.wording import Wording


def text(body: str) -> dict[str, Any]:
    """A text."""
    return {"type": "text", "body": body, "preview_url": False}


def test_places_are_filled_and_the_rest_stays_as_it_is() -> None:
    wording = Wording(text('{{name}}, your "order" {{ order no }} is ready, {{name}}! {not} {{}}'))
    assert wording.names == {"name", "order no"}
    made = json.loads(wording.json({"name": "Ana", "order no": "7", "other": "x"}))
    assert made == text('Ana, your "order" 7 is ready, Ana! {not} {{}}')


@pytest.mark.parametrize("value", ['"', "\\", "\n", "\t", "ü😀", "{{name}}", '","type":"x', "\u2028"])
def test_a_value_can_break_nothing(value: str) -> None:
    assert json.loads(Wording(text("a {{name}} b")).json({"name": value})) == text(f"a {value} b")


def test_in_templates_places_are_in_components_at_any_depth() -> None:
    content = {
        "type": "template",
        "name": "offer",
        "language": "{{x}}",
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x/{{id}}.png"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "{{name}}"}, {"type": "text", "text": "fixed"}]},
            {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "{{id}}"}]},
        ],
    }
    wording = Wording(content)
    assert wording.names == {"id", "name"}
    expected = json.loads(json.dumps(content).replace("{{id}}", "42").replace("{{name}}", "Ana"))
    assert json.loads(wording.json({"id": "42", "name": "Ana"})) == expected


@pytest.mark.parametrize("variables", [{}, {"name": ""}, {"name": "  "}, {"Name": "Ana"}])
def test_a_value_that_is_missing_or_blank_is_named(variables: dict[str, str]) -> None:
    refusal = Wording(text("Hello {{name}}")).refusal(variables)
    assert refusal is not None
    assert refusal.code == "missing_variable"
    assert "name" in refusal.title


def test_a_text_that_grows_over_whatsapps_limit_is_refused() -> None:
    wording = Wording(text("x" * 4000 + "{{name}}"))
    assert wording.refusal({"name": "y" * 96}) is None
    refusal = wording.refusal({"name": "y" * 97})
    assert refusal is not None
    assert refusal.code == "text_too_long"


def test_without_places_everybody_is_written_to() -> None:
    wording = Wording(text("Hello"))
    assert wording.refusal({}) is None
    assert json.loads(wording.json({"a": "b"})) == text("Hello")


def test_a_template_that_grows_beyond_what_can_be_handed_over_refuses_that_recipient() -> None:
    component = {"type": "body", "parameters": [{"type": "text", "text": "{{name}}"}] * 100}
    wording = Wording({"type": "template", "name": "offer", "language": "en", "components": [component]})
    assert wording.refusal({"name": "Ana"}) is None
    refused = wording.refusal({"name": "x" * 1024})
    assert refused is not None
    assert refused.code == "content_too_long"
