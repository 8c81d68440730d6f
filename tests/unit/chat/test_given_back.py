"""A message that a WhatsApp Web session gave back was never sent; one that was believed lost may have been."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from blazz_chat.failures import Remedy, from_errors
from blazz_chat.lifecycle import Retries, State, Told, apply
from blazz_contracts.message import Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PASSING = {"code": "media_unreachable", "title": "later", "passing": True}


def state(status: Status, attempt: int, **more: object) -> State:
    return State(id=uuid4(), workspace_id=uuid4(), status=status, attempt=attempt, tries=0, **more)  # type: ignore[arg-type]


def told(status: str, attempt: int, **error: object) -> Told:
    return Told(status, NOW, "true_x" if status == "sent" else None, attempt, [error] if error else [])


def test_what_was_given_back_is_pending_under_the_attempt_before() -> None:
    message = state(Status.SENDING, 2)
    apply(message, told("returned", 2), Retries())
    assert (message.status, message.attempt, message.undone, message.steps) == (Status.PENDING, 1, {2}, [])
    assert (message.waits_for, message.wait) == ("session_offline", 1.0)


@pytest.mark.parametrize("status", [Status.PENDING, Status.SENT, Status.FAILED, Status.READ, Status.UNCONFIRMED])
def test_only_what_is_being_sent_can_be_given_back(status: Status) -> None:
    message = state(status, 1)
    apply(message, told("returned", 1), Retries())
    assert (message.status, message.attempt, message.changed) == (status, 1, False)


def test_an_earlier_attempt_given_back_late_leaves_the_present_one_alone() -> None:
    message = state(Status.SENDING, 2)
    apply(message, told("returned", 1), Retries())
    assert (message.status, message.attempt) == (Status.SENDING, 2)


def test_an_attempt_that_was_given_back_and_had_left_is_the_present_one_again() -> None:
    message = state(Status.PENDING, 0, waits_for="session_offline")
    apply(message, told("sent", 1), Retries())
    assert (message.status, message.attempt, message.revived) == (Status.SENT, 1, {1})


def test_a_failure_of_an_attempt_that_was_given_back_counts() -> None:
    message = state(Status.PENDING, 0, waits_for="pair")
    apply(message, told("failed", 1, code="not_on_whatsapp", title="no"), Retries())
    assert (message.status, message.attempt, message.failure.code) == (Status.FAILED, 1, "not_on_whatsapp")  # type: ignore[union-attr]


def test_a_failure_that_passes_makes_the_next_attempt() -> None:
    message = state(Status.SENDING, 1)
    apply(message, told("failed", 1, **PASSING), Retries())
    assert (message.status, message.attempt, message.waits_for, message.wait) == (Status.PENDING, 1, "retry", 30)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (PASSING, Remedy.RETRY),
        ({"code": "refused", "title": "no"}, Remedy.FAIL),
        ({"code": "refused", "title": "no", "passing": "yes"}, Remedy.FAIL),
        ({"code": "x" * 900, "title": "t" * 9000}, Remedy.FAIL),
        ({"code": "expired"}, Remedy.FAIL),
        ({"code": 131000, "title": "Meta's", "passing": False}, Remedy.RETRY),
    ],
)
def test_a_sessions_words_for_a_refusal_are_classed_by_what_it_says_of_them(
    error: dict[str, object], remedy: Remedy
) -> None:
    refused = from_errors([error])
    assert refused.remedy is remedy
    assert refused.failure.title
    assert len(refused.failure.code) <= 64
