"""Numbers as people write them."""

import pytest
from blazz_campaign.phone import digits


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("+4915112345678", "4915112345678"),
        ("4915112345678", "4915112345678"),
        ("0049 151 1234-5678", "4915112345678"),
        (" +49 (151) 123.456/78 ", "4915112345678"),
        ("+49\u00a0151\u202f1234\u20135678", "4915112345678"),
        ("'+4915112345678", "4915112345678"),
        ("+6834000", "6834000"),
        ("+123456789012345", "123456789012345"),
    ],
)
def test_what_can_be_a_number_becomes_its_digits(written: str, bare: str) -> None:
    assert digits(written) == bare


@pytest.mark.parametrize(
    "written", ["", "+", "123456", "+1234567890123456", "0151 12345678", "+49 151 CALL", "4.9151E+12", "٤٩١٥١١٢٣٤٥٦٧٨"]
)
def test_what_cannot_be_one_is_none(written: str) -> None:
    assert digits(written) is None
