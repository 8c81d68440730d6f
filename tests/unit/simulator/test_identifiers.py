"""Ids in WhatsApp's forms."""

import base64

import pytest
from blazz_simulator.identifiers import USER_ID, user_id_of, wa_id, wamid


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("4915112345678", "4915112345678"),
        ("+49 (151) 1234-5678", "4915112345678"),
        ("1.650.555.1234", "16505551234"),
        ("123456", None),
        ("1234567890123456", None),
        ("49151x12345", None),
        ("٤٩١٥١١٢٣٤٥", None),
        ("", None),
    ],
)
def test_a_number_is_known_by_its_digits(written: str, digits: str | None) -> None:
    assert wa_id(written) == digits


def test_a_wamid_is_new_each_time_and_holds_the_number() -> None:
    ids = {wamid("4915112345678") for _ in range(1000)}
    assert len(ids) == 1000
    assert b"4915112345678" in base64.b64decode(ids.pop().removeprefix("wamid."))


def test_a_user_id_is_always_the_same_for_a_number() -> None:
    assert user_id_of("4915112345678") == user_id_of("4915112345678") != user_id_of("4915112345679")
    assert user_id_of("4915112345678").startswith("DE.")
    assert USER_ID.match(user_id_of("8801712345678"))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("US.13491208655302741918", True),
        ("US.ENT.11815799212886844830", True),
        ("us.1", False),
        ("US.", False),
        ("US.a b", False),
        ("16505551234", False),
    ],
)
def test_a_user_id_has_a_form(text: str, good: bool) -> None:
    assert bool(USER_ID.match(text)) is good
