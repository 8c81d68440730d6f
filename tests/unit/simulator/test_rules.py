"""WhatsApp's limits, when they are switched on."""

import time

import pytest
from blazz_simulator.graph.errors import GraphError
from blazz_simulator.phones.phone import Phone
from blazz_simulator.rules import Rules, RuleSettings


def _rules(**settings: object) -> Rules:
    rules = Rules()
    rules.use(RuleSettings.model_validate(settings))
    return rules


def _code(rules: Rules, key: str = "491511234567", template: bool = False) -> int | None:
    try:
        rules.check("1", key, template)
    except GraphError as refused:
        return refused.code
    return None


def test_nothing_is_limited_by_default() -> None:
    rules = _rules()
    assert [_code(rules) for _ in range(200)] == [None] * 200


def test_the_window_is_open_for_its_time_after_the_customer_wrote() -> None:
    rules, phone = _rules(window_24h=True), Phone("491511234567", 1, True)
    assert (_code(rules), _code(rules, template=True)) == (131047, None)
    rules.heard("1", phone, time.time() - 24 * 3600 + 60)
    assert _code(rules) is None
    rules.heard("1", phone, time.time() - 24 * 3600 - 60)
    assert _code(rules) == 131047
    rules.heard("2", phone, time.time())
    assert _code(rules) == 131047


def test_throughput_is_counted_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, now = _rules(throughput=3), 1000.0
    monkeypatch.setattr("blazz_simulator.rules.time.monotonic", lambda: now)
    assert [_code(rules) for _ in range(5)] == [None, None, None, 130429, 130429]
    now = 1001.0
    assert _code(rules) is None


def test_a_pair_may_borrow_a_burst_and_then_pays_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, now = _rules(pair_seconds=6, pair_burst=3), 1000.0
    monkeypatch.setattr("blazz_simulator.rules.time.monotonic", lambda: now)
    assert [_code(rules) for _ in range(4)] == [None, None, None, 131056]
    assert _code(rules, key="491511234568") is None
    now = 1006.0
    assert [_code(rules) for _ in range(2)] == [None, 131056]
