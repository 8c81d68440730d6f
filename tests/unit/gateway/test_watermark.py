"""The watermark is never ahead of a webhook that is not in the queue yet."""

from datetime import UTC, datetime

import pytest
from blazz_chassis.errors import BrokerUnavailable
from blazz_gateway.errors import SignatureWrong
from blazz_gateway.webhooks.watermark import Watermark


def test_with_nothing_in_hand_it_stands_at_now() -> None:
    before = datetime.now(UTC)
    mark = Watermark(5).mark()
    assert mark is not None
    assert before <= mark <= datetime.now(UTC)


def test_it_waits_for_the_oldest_webhook_that_is_not_confirmed() -> None:
    watermark = Watermark(5)
    first, second = watermark.holding(), watermark.holding()
    before = datetime.now(UTC)
    first.__enter__()
    between = datetime.now(UTC)
    second.__enter__()
    held = watermark.mark()
    assert held is not None
    assert before <= held <= between
    first.__exit__(None, None, None)
    later = watermark.mark()
    assert later is not None
    assert later >= between
    second.__exit__(None, None, None)
    assert watermark.mark() is not None


def test_a_webhook_that_was_turned_away_breaks_it_off() -> None:
    watermark = Watermark(5)
    with pytest.raises(BrokerUnavailable), watermark.holding():
        raise BrokerUnavailable
    assert watermark.mark() is None


def test_it_goes_on_after_the_gap() -> None:
    watermark = Watermark(0.0001)
    with pytest.raises(BrokerUnavailable), watermark.holding():
        raise BrokerUnavailable
    limit = datetime.now(UTC).timestamp() + 5
    while watermark.mark() is None:
        assert datetime.now(UTC).timestamp() < limit


def test_what_anybody_can_send_does_not_hold_it_back() -> None:
    watermark = Watermark(5)
    with pytest.raises(SignatureWrong), watermark.holding():
        raise SignatureWrong
    assert watermark.mark() is not None
