"""Faults of WhatsApp Web hit whom they name, as often as they say."""

import random

import pytest
from blazz_simulator.errors import NotFound
from blazz_simulator.web.device import Device
from blazz_simulator.web.faults import WebFault, WebFaults
from blazz_simulator.web.settings import WebSettings
from pydantic import ValidationError

DEVICE = Device(1, "493012345678", "", "", "")


def test_a_rule_hits_only_the_device_or_phone_it_names_and_counts() -> None:
    faults = WebFaults(random.Random(1))
    faults.add(WebFault(kind="refuse", device="493012345678:2"))
    faults.add(WebFault(kind="refuse", phone="+49 30 12345678", count=2))
    assert [faults.of_send(DEVICE, "refuse") is not None for _ in range(3)] == [True, True, False]
    assert faults.of_send(DEVICE, "slow") is None
    assert [rule.hits for rule in faults] == [0, 2]


def test_a_share_of_the_sends_is_hit() -> None:
    faults = WebFaults(random.Random(1))
    faults.add(WebFault(kind="drop_ack", share=0.25))
    hits = sum(faults.of_send(DEVICE, "drop_ack") is not None for _ in range(1000))
    assert 200 < hits < 300


def test_rules_are_removed_by_kind_or_all_at_once() -> None:
    faults = WebFaults(random.Random(1))
    for kind in ("refuse", "drop_ack", "refuse"):
        faults.add(WebFault(kind=kind))  # type: ignore[arg-type]
    assert len(faults.remove("refuse")) == 2
    with pytest.raises(NotFound):
        faults.remove("refuse")
    assert len(faults.remove(None)) == 1
    assert faults.view() == []


@pytest.mark.parametrize("wrong", [{"kind": "freeze"}, {"kind": "slow"}, {"kind": "refuse", "share": 2}, {"kind": "x"},
                                   {"kind": "refuse", "phone": "nobody"}, {"kind": "refuse", "count": 0}])  # fmt: skip
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebFault.model_validate(wrong)


def test_absent_numbers_are_not_on_whatsapp() -> None:
    settings = WebSettings(absent=["+49 151 1234567"])
    assert [settings.on_whatsapp(number) for number in ("491511234567", "999123456", "491511234568")] == [
        False, False, True,
    ]  # fmt: skip
    with pytest.raises(ValidationError):
        WebSettings(absent=["nobody"])
