"""Which statuses a message gets, and when."""

import random

import pytest
from blazz_simulator.webhooks.statuses import DEFAULT_DELAYS, StatusSettings
from pydantic import ValidationError


def test_sent_delivered_and_read_come_in_order_by_default() -> None:
    plan = StatusSettings().plan(random.Random(1))
    assert plan == [(name, DEFAULT_DELAYS[name]) for name in ("sent", "delivered", "read")]


def test_delays_not_named_keep_their_default() -> None:
    plan = dict(StatusSettings(delays={"read": 9}).plan(random.Random(1)))
    assert plan == {"sent": DEFAULT_DELAYS["sent"], "delivered": DEFAULT_DELAYS["delivered"], "read": 9}


def test_shuffling_keeps_the_statuses_and_the_times_but_not_which_has_which() -> None:
    rng, settings = random.Random(1), StatusSettings(shuffled=True)
    plans = [settings.plan(rng) for _ in range(50)]
    assert all(sorted(delay for _, delay in plan) == [0.05, 0.1, 0.3] for plan in plans)
    assert all({status for status, _ in plan} == {"sent", "delivered", "read"} for plan in plans)
    assert len({tuple(plan) for plan in plans}) == 6


def test_doubling_a_share_doubles_about_that_share() -> None:
    rng, settings = random.Random(1), StatusSettings(doubled=0.5)
    extra = sum(len(settings.plan(rng)) - 3 for _ in range(1000))
    assert 1350 < extra < 1650


def test_true_doubles_all() -> None:
    assert len(StatusSettings.model_validate({"doubled": True}).plan(random.Random(1))) == 6


@pytest.mark.parametrize("wrong", [{"delays": {"sent": -1}}, {"batch_size": 0}, {"window": 0}, {"statuses": ["x"]}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StatusSettings.model_validate(wrong)
