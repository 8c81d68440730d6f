"""Addresses and keys of WhatsApp Web."""

import random

import pytest
from blazz_simulator.web.addresses import address_of, lid_of, message_key, new_hex, number_of, parse_key, person_of


def test_every_number_has_one_lid_and_every_lid_gives_its_number_back() -> None:
    rng = random.Random(1)
    numbers = {str(rng.randrange(10**6, 10**15)) for _ in range(2000)} | {"1000000", "999999999999999"}
    lids = {number: lid_of(number) for number in numbers}
    assert len(set(lids.values())) == len(numbers)
    assert all(number_of(lid) == number for number, lid in lids.items())
    assert all(len(lid) <= 16 for lid in lids.values())


def test_a_lid_does_not_show_the_number() -> None:
    assert "4915112345678" not in lid_of("4915112345678")
    assert lid_of("4915112345678")[:6] != lid_of("4915112345679")[:6]


@pytest.mark.parametrize("lid", ["", "x", "1", "12345678901234567890"])
def test_what_is_no_lid_gives_nobody(lid: str) -> None:
    assert number_of(lid) is None


def test_both_addresses_of_a_person_lead_to_the_number() -> None:
    for address in (address_of("4915112345678", True), address_of("4915112345678", False),
                    "4915112345678@s.whatsapp.net", "4915112345678:3@c.us"):  # fmt: skip
        assert person_of(address) == "4915112345678"
    assert person_of("120363000000000000@g.us") is None


def test_a_key_is_read_as_it_was_written() -> None:
    assert parse_key(message_key(True, "1@lid", "3EB0AA")) == (True, "1@lid", "3EB0AA", None)
    assert parse_key(message_key(False, "1@g.us", "3EB0AA", "2@lid")) == (False, "1@g.us", "3EB0AA", "2@lid")
    assert parse_key("true_1@lid") is None
    assert parse_key("maybe_1@lid_3EB0") is None


def test_new_ids_look_like_whatsapps() -> None:
    assert len(new_hex()) == 22
    assert new_hex().startswith("3EB0")
    assert new_hex() != new_hex()
