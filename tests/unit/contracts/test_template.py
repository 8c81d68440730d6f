"""What a template of one's own may be."""

from typing import Any

import pytest
from blazz_contracts.views.template import PutTemplate
from pydantic import ValidationError

BODY = {"type": "BODY", "text": "Hello {{1}}"}


def put(*components: Any) -> PutTemplate:
    return PutTemplate.model_validate({"components": list(components)})


def test_metas_shape_is_taken_and_examples_are_not_kept() -> None:
    made = put(
        {"type": "HEADER", "format": "TEXT", "text": "Hi {{name}}", "example": {"header_text": ["Ada"]}},
        {**BODY, "example": {"body_text": [["Ada"]]}},
        {"type": "FOOTER", "text": "The shop"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "URL", "text": "Open", "url": "https://a.example/{{1}}", "example": ["https://a.example/x"]},
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+31201234567"},
                {"type": "QUICK_REPLY", "text": "Yes"},
            ],
        },
    )
    kept = [each.model_dump(exclude_none=True) for each in made.components]
    assert kept[1] == BODY
    assert all("example" not in each for each in kept)
    assert kept[3]["buttons"][0] == {"type": "URL", "text": "Open", "url": "https://a.example/{{1}}"}


@pytest.mark.parametrize(
    "components",
    [
        [],
        [{"type": "FOOTER", "text": "x"}],
        [BODY, BODY],
        [BODY, {"type": "CAROUSEL"}],
        [BODY, {"type": "HEADER", "format": "LOCATION"}],
        [BODY, {"type": "HEADER", "format": "TEXT"}],
        [BODY, {"type": "HEADER", "format": "IMAGE", "text": "x"}],
        [BODY, {"type": "HEADER", "format": "TEXT", "text": "{{1}} {{2}}"}],
        [BODY, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}],
        [BODY, {"type": "FOOTER", "text": "{{1}}"}],
        [BODY, {"type": "FOOTER", "text": "x" * 61}],
        [{"type": "BODY", "text": ""}],
        [{"type": "BODY", "text": "x" * 1025}],
        [{"type": "BODY", "text": "{{2}}"}],
        [{"type": "BODY", "text": "{{1}} {{name}}"}],
        [{"type": "BODY", "text": "{{First Name}}"}],
        [{"type": "BODY", "text": "{{1"}],
        [{"type": "BODY", "text": "a\0b"}],
        [{"type": "BODY", "text": "a\ud800b"}],
        [{"type": "BODY", "text": "a", "extra": 1}],
        [BODY, {"type": "BUTTONS", "buttons": []}],
        [BODY, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "x"}] * 11}],
        [BODY, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "x" * 26}]}],
        [BODY, {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "x"}]}],
        [BODY, {"type": "BUTTONS", "buttons": [{"type": "PHONE_NUMBER", "text": "x", "phone_number": "call"}]}],
        *(
            [BODY, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "x", "url": url}]}]
            for url in ("", "javascript:x", "https://a.b/{{1}}/x", "https://a b", "https://a/{{1}}{{2}}", "a" * 2001)
        ),
    ],
)
def test_what_is_no_template_is_refused(components: list[Any]) -> None:
    with pytest.raises(ValidationError):
        put(*components)
