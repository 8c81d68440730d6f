"""Never more than the limit in any 60 seconds."""

import random

from blazz_gateway.rate import WINDOW, Window


def test_no_window_of_sixty_seconds_ever_holds_more_than_the_limit() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        window, now, taken = Window(), 1_700_000_000.0 + chance.random(), []
        for _ in range(2_000):
            now += chance.expovariate(chance.choice([0.2, 2, 20]))
            if window.take(now, 30).allowed:
                taken.append(now)
        for index, first in enumerate(taken):
            within = sum(1 for each in taken[index:] if each < first + WINDOW)
            assert within <= 30, (seed, index)


def test_there_is_room_again_when_the_wait_is_over_and_not_a_second_before() -> None:
    window, now = Window(), 1_700_000_000.25
    decisions = [window.take(now + each * 0.1, 10) for each in range(11)]
    assert [decision.allowed for decision in decisions] == [True] * 10 + [False]
    refused = decisions[-1]
    assert WINDOW - 1 <= refused.wait <= WINDOW + 1
    assert not window.take(now + 1 + refused.wait - 1.01, 10).allowed
    assert window.take(now + 1 + refused.wait, 10).allowed


def test_what_is_left_is_told() -> None:
    window = Window()
    first = window.take(1_700_000_000, 60)
    assert first.headers() == {
        "RateLimit-Limit": "60",
        "RateLimit-Remaining": "59",
        "RateLimit-Reset": "61",
        "RateLimit-Policy": "60;w=60",
    }


def test_a_window_survives_being_stored() -> None:
    window = Window()
    for _ in range(7):
        window.take(1_700_000_000, 10)
    again = Window(window.second, window.packed())
    assert again.take(1_700_000_059.9, 10).remaining == 2


def test_a_clock_that_goes_back_frees_nothing() -> None:
    window = Window()
    for _ in range(5):
        window.take(1_700_000_000, 5)
    assert not window.take(1_699_999_000, 5).allowed


def test_a_place_given_back_can_be_taken_again() -> None:
    window = Window()
    for _ in range(5):
        window.take(1_700_000_000, 5)
    window.give_back()
    assert window.take(1_700_000_001, 5).allowed
    assert not window.take(1_700_000_001, 5).allowed


def test_giving_back_what_was_not_taken_makes_no_room() -> None:
    window = Window()
    window.give_back()
    assert sum(window.slots) == 0
