"""The words of the page: strict where we rely on them, lax where WhatsApp adds to them."""

from typing import Any

import pytest
from blazz_webjs_bridge.page.facts import FACT, AckChanged, Arrived, ModeChanged
from blazz_webjs_bridge.page.words import Mode
from pydantic import ValidationError

MESSAGE = {
    "id": "false_1@c.us_3EB0", "from_me": False, "person": {"chat": "1@c.us", "phone": "1"}, "type": "text", "at": 1,
}  # fmt: skip


def test_a_message_of_the_least_fields_is_read() -> None:
    fact = FACT.validate_python({"kind": "message", "message": MESSAGE})
    assert isinstance(fact, Arrived)
    assert (fact.message.ours, fact.message.file, fact.message.content) == (False, None, {})


def test_a_mode_that_whatsapp_adds_is_told_as_it_is() -> None:
    for mode, expected in (("MAIN", Mode.MAIN), ("OF_NEXT_WEEK", "OF_NEXT_WEEK")):
        fact = FACT.validate_python({"kind": "mode", "mode": mode})
        assert isinstance(fact, ModeChanged)
        assert fact.mode == expected


def test_acks_are_bounded() -> None:
    told: dict[str, Any] = {"kind": "ack", "ids": ["true_1@c.us_3EB0"], "chat": "1@c.us", "ack": 3}
    assert isinstance(FACT.validate_python(told), AckChanged)
    for ids in ([], ["x"] * 1001, [""], ["x" * 513]):
        with pytest.raises(ValidationError):
            FACT.validate_python({**told, "ids": ids})
