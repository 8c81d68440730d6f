"""What a status means for a message: forward only, whatever comes in whatever order."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from blazz_chat.failures import refusal
from blazz_chat.lifecycle import Retries, State, Told, apply, refuse
from blazz_contracts.message import RANK, Status
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNDELIVERABLE, PASSING = {"code": 131026, "title": "no"}, {"code": 131000, "title": "later"}


def state(status: Status = Status.SENDING, attempt: int = 1, **more: object) -> State:
    return State(id=uuid4(), workspace_id=uuid4(), status=status, attempt=attempt, tries=0, **more)  # type: ignore[arg-type]


def told(status: str, attempt: int | None = 1, wamid: str = "wamid.1", error: dict[str, object] | None = None) -> Told:
    return Told(status, NOW, wamid, attempt, [error] if error else [])


words = st.sampled_from(["sent", "delivered", "read", "played", "failed"])
anything = st.lists(st.tuples(words, st.integers(1, 3), st.sampled_from([UNDELIVERABLE, PASSING])), max_size=12)


@given(anything)
def test_what_is_told_only_moves_forward(history: list[tuple[str, int, dict[str, object]]]) -> None:
    message = state(attempt=2)
    for word, attempt, error in history:
        apply(message, told(word, attempt, error=error if word == "failed" else None), Retries())
    ranks = [RANK[step] for step, _ in message.steps]
    assert ranks == sorted(set(ranks))


@given(anything)
def test_the_same_history_told_twice_tells_nothing_new(history: list[tuple[str, int, dict[str, object]]]) -> None:
    message = state(Status.SENT, attempt=1)
    for word, attempt, error in history:
        apply(message, told(word, attempt, error=error if word == "failed" else None), Retries())
    steps, status = list(message.steps), message.status
    for word, attempt, _ in history:
        if word != "failed":
            apply(message, told(word, attempt), Retries())
    if status is not Status.PENDING:
        assert (message.steps, message.status) == (steps, status)
    assert error_free(message)


def error_free(message: State) -> bool:
    return message.failure is None or message.status is Status.FAILED


def test_delivered_without_sent_tells_both() -> None:
    message = state()
    apply(message, told("read"), Retries())
    assert [step for step, _ in message.steps] == [Status.SENT, Status.READ]
    assert message.provider_message_id == "wamid.1"
    assert message.times["delivered_at"] == NOW


def test_a_success_of_an_earlier_attempt_stops_the_next_one() -> None:
    message = state(Status.PENDING)
    apply(message, told("sent", 1), Retries())
    assert (message.status, message.waits_for) == (Status.SENT, None)


def test_a_late_sent_of_an_attempt_that_failed_does_not_call_off_its_retry() -> None:
    message = state(Status.SENT)
    apply(message, told("failed", 1, error=PASSING), Retries())
    assert (message.status, message.waits_for) == (Status.PENDING, "retry")
    apply(message, told("sent", 1), Retries())
    assert (message.status, message.waits_for) == (Status.PENDING, "retry")
    apply(message, told("delivered", 1), Retries())
    assert (message.status, message.waits_for, message.settled[1][0]) == (Status.DELIVERED, None, "sent")


def test_what_arrived_after_all_shows_no_failure() -> None:
    message = state(Status.SENT)
    apply(message, told("failed", 1, error=UNDELIVERABLE), Retries())
    apply(message, told("delivered", 1), Retries())
    assert (message.status, message.failure) == (Status.DELIVERED, None)


def test_a_failure_of_an_earlier_attempt_changes_nothing() -> None:
    message = state(attempt=2)
    apply(message, told("failed", 1, error=UNDELIVERABLE), Retries())
    assert (message.status, message.steps) == (Status.SENDING, [])
    assert message.settled[1][0] == "failed"


def test_what_was_delivered_did_not_fail() -> None:
    message = state(Status.DELIVERED)
    apply(message, told("failed", 1, error=UNDELIVERABLE), Retries())
    assert message.status is Status.DELIVERED


@pytest.mark.parametrize(("tries", "wait"), [(0, 30), (1, 60), (2, 120)])
def test_passing_refusals_wait_longer_each_time(tries: int, wait: float) -> None:
    message = state()
    message.tries = tries
    refuse(message, refusal(131000, "later"), NOW, Retries())
    assert (message.status, message.wait) == (Status.PENDING, wait)


def test_the_fourth_passing_refusal_fails() -> None:
    message = state()
    message.tries = 3
    refuse(message, refusal(131000, "later"), NOW, Retries())
    assert message.status is Status.FAILED


def test_a_pair_limit_waits_four_to_the_power_of_the_try() -> None:
    message = state()
    message.tries = 1
    refuse(message, refusal(131056, "pair"), NOW, Retries())
    assert (message.waits_for, message.wait) == ("pair", 16)


def test_a_dead_token_keeps_the_message_and_counts_no_try() -> None:
    message = state()
    refuse(message, refusal(190, "expired"), NOW, Retries())
    assert (message.status, message.waits_for, message.tries) == (Status.PENDING, "channel_stopped", 0)
