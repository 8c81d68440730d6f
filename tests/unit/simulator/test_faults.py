"""Fault rules: whom they hit, how often."""

import random

import pytest
from blazz_simulator.errors import NotFound
from blazz_simulator.faults import Fault, Faults
from pydantic import ValidationError


def _faults(*rules: Fault) -> Faults:
    faults = Faults(random.Random(1))
    faults.replace(list(rules))
    return faults


def _hits(faults: Faults, to: str = "491", number: str = "1", path: str = "messages") -> list[str]:
    found = faults.hits("slow", "error", "rate_limit", path=path, phone_number_id=number, to=to)  # type: ignore[arg-type]
    return [rule.kind for rule in found]


def test_a_count_is_spent_by_its_hits() -> None:
    faults = _faults(Fault(kind="slow", count=2))
    assert [len(_hits(faults)) for _ in range(4)] == [1, 1, 0, 0]


def test_a_share_hits_about_that_share() -> None:
    faults = _faults(Fault(kind="slow", share=0.2))
    assert 150 < sum(len(_hits(faults)) for _ in range(1000)) < 250


def test_a_rule_after_the_one_that_ended_the_call_is_not_spent() -> None:
    faults = _faults(Fault(kind="rate_limit"), Fault(kind="error", count=1))
    next(faults.hits("rate_limit", "error", path="messages"))
    assert [rule.hits for rule in faults] == [1, 0]


def test_a_rule_hits_only_its_number_recipient_and_path() -> None:
    faults = _faults(Fault(kind="slow", phone_number_id="1", to="+49 151 123456"))
    assert _hits(faults, to="49151123456") == ["slow"]
    assert _hits(faults, to="49151123457") == []
    assert _hits(faults, to="49151123456", number="2") == []
    assert _hits(faults, to="49151123456", path="media") == []


def test_an_error_in_the_status_does_not_show_in_the_answer() -> None:
    faults = _faults(Fault(kind="error", where="status"), Fault(kind="error", where="both"))
    assert _hits(faults) == []
    assert len(list(faults.hits("error_in_status", "error_in_both", path="messages"))) == 2


def test_a_rule_with_the_same_id_gives_way() -> None:
    faults = _faults(Fault(kind="slow"), Fault(kind="slow"))
    assert [rule.id for rule in faults] == ["slow-1", "slow-2"]
    faults.add(Fault(id="slow-1", kind="slow", seconds=9))
    assert [(rule.id, rule.seconds) for rule in faults] == [("slow-2", 1), ("slow-1", 9)]
    faults.remove("slow-2")
    with pytest.raises(NotFound):
        faults.remove("slow-2")


def test_only_an_error_can_show_in_a_status() -> None:
    with pytest.raises(ValidationError):
        Fault(kind="rate_limit", where="status")


def test_codes_are_taken_from_the_list() -> None:
    faults = _faults()
    rule = Fault(kind="error", codes=[1, 2, 3])
    assert {faults.code_of(rule) for _ in range(100)} == {1, 2, 3}
    assert faults.code_of(Fault(kind="rate_limit")) == 130429
