"""What could fail later, in a batch that others share, is refused with the name of its field."""

from typing import Any

import pytest
from blazz_chassis.errors import Invalid
from blazz_gateway import storable
from blazz_gateway.message_request import SendMessage


def asked(**content: Any) -> SendMessage:
    (kind,) = content
    return SendMessage.model_validate({"to": {"phone": "+31612345678"}, "type": kind, **content})


def template(value: Any) -> SendMessage:
    return asked(template={"name": "x", "language": "en_US", "components": [{"type": "body", "value": value}]})


@pytest.mark.parametrize("number", [2**63, -(2**64), 10**40, float("inf"), float("-inf"), float("nan"), 1e999])
def test_a_number_that_is_none_of_64_bits_is_refused(number: float) -> None:
    for request, field in (
        (asked(interactive={"a": [{"b": number}]}), "interactive.a.0.b"),
        (asked(contacts=[{"a": number}]), "contacts.0.a"),
        (template(number), "template.components.0.value"),
    ):
        with pytest.raises(Invalid) as refused:
            storable.check(request)
        assert refused.value.field == field


@pytest.mark.parametrize("number", [0, True, 2**63 - 1, -(2**62), 1.5, 1e300])
def test_other_numbers_are_taken(number: float) -> None:
    storable.check(asked(interactive={"a": number}))


def test_free_json_has_a_size() -> None:
    for length, fits in ((60_000, True), (70_000, False)):
        for request in (asked(interactive={"a": "x" * length}), asked(contacts=[{"a": "x" * length}])):
            if fits:
                storable.check(request)
            else:
                with pytest.raises(Invalid):
                    storable.check(request)
