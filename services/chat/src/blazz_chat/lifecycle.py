"""The life of a message: what a status means for it. Pure rules, no I/O.

`scheduled → pending → sending → sent → delivered → read (→ played)`; `failed` is final. A status only moves forward.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from blazz_contracts.message import RANK, Failure, Status

from blazz_chat import failures
from blazz_chat.failures import Remedy

_PROVIDER_STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.PLAYED,
    "failed": Status.FAILED,
}
_RETURNED = "returned"
"""A WhatsApp Web session gives a message back: it never left."""
OFFLINE = "session_offline"
"""What it waits for then."""
# News of the session itself takes another way and may come later: until then it would be handed over and given back
# again and again. Seconds.
_RETURNED_WAITS = 1.0
PASSING = frozenset({Remedy.RETRY, Remedy.PAIR, Remedy.TOMORROW})


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when a passing refusal is tried again. Seconds."""

    waits: tuple[float, ...] = (30, 60, 120)
    pair_base: float = 4
    tomorrow: float = 24 * 3600
    hold_back: float = 30

    def wait(self, remedy: Remedy, tries: int) -> float | None:
        """How long to wait after the `tries`-th refusal; None when it has been tried often enough."""
        if tries > len(self.waits):
            return None
        if remedy is Remedy.PAIR:
            return float(self.pair_base**tries)
        if remedy is Remedy.TOMORROW:
            return self.tomorrow
        return self.waits[tries - 1]


@dataclass(slots=True)
class State:
    """What is known of a message while statuses are applied to it."""

    id: UUID
    workspace_id: UUID
    status: Status
    attempt: int
    tries: int
    provider_message_id: str | None = None
    failure: Failure | None = None
    waits_for: str | None = None
    wait: float | None = None
    """Seconds until the next attempt, when one was scheduled."""
    times: dict[str, datetime] = field(default_factory=dict)
    """Columns to set: sent_at, delivered_at, read_at."""
    steps: list[tuple[Status, datetime]] = field(default_factory=list)
    """What is to be told, in order."""
    settled: dict[int, tuple[str, str | None, Failure | None]] = field(default_factory=dict)
    """Attempts whose outcome became known: number → (outcome, provider's id, failure)."""
    refused: set[int] = field(default_factory=set)
    """Attempts known to have failed. That one of them was sent once is no news; that it was delivered is."""
    revived: set[int] = field(default_factory=set)
    """Attempts that were given back, and yet were made."""
    undone: set[int] = field(default_factory=set)
    """Attempts that never were."""
    sent_before: bool = False
    """Whether it was told as sent already."""
    stops: Failure | None = None
    """Why the number cannot go on, when that was told."""
    opted_out: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One status, as a provider told it."""

    status: str
    at: datetime
    provider_message_id: str | None
    """None: it never got one."""
    attempt: int | None
    """From the callback data, where it is ours."""
    errors: list[dict[str, Any]]


def known_status(word: str) -> bool:
    """Whether we have a name for this status."""
    return word in _PROVIDER_STATUSES or word == _RETURNED


def apply(state: State, told: Told, retries: Retries) -> None:
    """Move a message forward by one status; duplicates, late arrivals and steps back change nothing."""
    attempt = told.attempt if told.attempt is not None else state.attempt
    if told.status == _RETURNED:
        _give_back(state, attempt)
        return
    status = _PROVIDER_STATUSES[told.status]
    if attempt == state.attempt + 1 and state.status is Status.PENDING:
        # It was given back by whoever could not know whether it lay in the session's queue. It did.
        state.attempt = attempt
        state.revived.add(attempt)
    if status is Status.FAILED:
        _fail(state, told, attempt, retries)
    else:
        _advance(state, told, status, attempt)


def _advance(state: State, told: Told, status: Status, attempt: int) -> None:
    if status is Status.SENT and attempt in state.refused:
        # Late, or told again: a failed attempt was sent before it failed, and its retry must not be called off.
        return
    state.settled[attempt] = ("sent", told.provider_message_id, None)
    state.refused.discard(attempt)
    if RANK[status] <= RANK[state.status]:
        return
    if state.status is Status.FAILED:
        # A message that we gave up on did arrive: the truth wins.
        state.failure = None
    if RANK[state.status] < RANK[Status.SENT] or state.status is Status.FAILED:
        # What was not known to be sent until now was sent under this id.
        state.provider_message_id = told.provider_message_id
    if RANK[state.status] < RANK[Status.SENT] and status is not Status.SENT:
        _step(state, Status.SENT, told.at)
    state.waits_for = None
    state.wait = None
    _step(state, status, told.at)


def _give_back(state: State, attempt: int) -> None:
    """Nothing left: the attempt never was, and the message is claimed again under its number."""
    if attempt != state.attempt or state.status is not Status.SENDING:
        return
    state.status, state.attempt = Status.PENDING, attempt - 1
    state.waits_for, state.wait = OFFLINE, _RETURNED_WAITS
    state.undone.add(attempt)
    state.changed = True


def _step(state: State, status: Status, at: datetime) -> None:
    state.status = status
    state.changed = True
    if status is Status.SENT and state.sent_before:
        return  # by an attempt that failed later: who watches has seen this tick
    state.sent_before = state.sent_before or status is Status.SENT
    state.steps.append((status, at))
    if status is Status.SENT:
        state.times["sent_at"] = at
    elif status is Status.DELIVERED:
        state.times["delivered_at"] = at
    elif status in (Status.READ, Status.PLAYED):
        state.times.setdefault("delivered_at", at)
        state.times["read_at"] = at


def _fail(state: State, told: Told, attempt: int, retries: Retries) -> None:
    refused = failures.from_errors(told.errors)
    if RANK[state.status] > RANK[Status.FAILED]:
        return  # what was delivered did not fail
    state.settled[attempt] = ("failed", told.provider_message_id, refused.failure)
    state.refused.add(attempt)
    if attempt != state.attempt or RANK[state.status] >= RANK[Status.FAILED]:
        # A late failure of the first attempt cannot kill the second.
        return
    if (state.waits_for or state.status in (Status.PENDING, Status.SCHEDULED)) and attempt not in state.revived:
        return  # the answer told it already
    if refused.remedy is Remedy.OPT_OUT:
        state.opted_out = True
    state.provider_message_id = told.provider_message_id or state.provider_message_id
    refuse(state, refused, told.at, retries)


def refuse(state: State, refused: failures.Refusal, at: datetime, retries: Retries) -> None:
    """A definite no for the current attempt: schedule the next one, or fail."""
    state.changed = True
    if refused.remedy is Remedy.STOP_CHANNEL:
        state.status, state.waits_for, state.wait = Status.PENDING, "channel_stopped", 0.0
        state.stops = refused.failure
        return
    if refused.remedy in PASSING:
        state.tries += 1
        wait = retries.wait(refused.remedy, state.tries)
        if wait is not None:
            state.status, state.wait = Status.PENDING, wait
            state.waits_for = "pair" if refused.remedy is Remedy.PAIR else "retry"
            return
    state.failure = refused.failure
    state.steps.append((Status.FAILED, at))
    state.status = Status.FAILED
