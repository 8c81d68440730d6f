"""Where a session stands, by what its page tells."""

import pytest
from blazz_contracts.session import SessionState
from blazz_webjs_bridge.page.facts import (
    FACT,
    Alive,
    BackendFailed,
    Fact,
    Linked,
    LoggedOut,
    ModeChanged,
    PairingCodeShown,
    PairingEnded,
    QrShown,
    Ready,
)
from blazz_webjs_bridge.page.words import Somebody
from blazz_webjs_bridge.state import Remedy, Standing, after

S = SessionState
ME = Somebody(chat="4915100000001@c.us", phone="4915100000001")


def through(*facts: Fact) -> tuple[Standing, Remedy]:
    standing, remedy = Standing(S.STARTING), Remedy.NONE
    for fact in facts:
        standing, remedy = after(standing, fact)
    return standing, remedy


def test_a_session_is_ready_after_a_phone_linked_it_and_chats_were_loaded() -> None:
    states = []
    standing = Standing(S.STARTING)
    for fact in (QrShown(code="a"), Linked(), ModeChanged(mode="SYNCING"), Ready(me=ME), ModeChanged(mode="MAIN")):
        standing, _ = after(standing, fact)
        states.append(standing.state)
    assert states == [S.QR, S.SYNCING, S.SYNCING, S.READY, S.READY]


@pytest.mark.parametrize(
    ("mode", "state", "remedy"),
    [
        ("OFFLINE", S.OFFLINE, Remedy.NONE),
        ("CONFLICT", S.CONFLICT, Remedy.TAKE_OVER),
        ("PROXYBLOCK", S.OFFLINE, Remedy.NONE),
        ("TOS_BLOCK", S.BANNED, Remedy.NONE),
        ("SMB_TOS_BLOCK", S.BANNED, Remedy.NONE),
        ("DEPRECATED_VERSION", S.OFFLINE, Remedy.OPEN_ANEW),
    ],
)
def test_what_ends_being_ready_is_named_with_its_cause(mode: str, state: SessionState, remedy: Remedy) -> None:
    standing, what = through(Ready(me=ME), ModeChanged(mode=mode))
    assert (standing.state, what) == (state, remedy)
    assert standing.cause


def test_a_connection_that_comes_back_makes_a_linked_session_ready_again() -> None:
    standing, _ = through(Ready(me=ME), ModeChanged(mode="OFFLINE"), ModeChanged(mode="MAIN"))
    assert standing == Standing(S.READY, None, linked=True)


def test_a_page_that_was_never_ready_is_not_made_ready_by_its_connection() -> None:
    standing, _ = through(QrShown(code="a"), ModeChanged(mode="MAIN"))
    assert standing.state is S.QR


def test_a_mode_that_nobody_knows_changes_nothing() -> None:
    standing, remedy = through(Ready(me=ME), ModeChanged(mode="SOMETHING_NEW"))
    assert (standing.state, remedy) == (S.READY, Remedy.NONE)


def test_a_device_that_was_removed_has_to_be_linked_anew() -> None:
    assert through(Ready(me=ME), LoggedOut(reason="user_initiated"))[1] is Remedy.LINK_ANEW


def test_broken_storage_costs_the_profile_and_other_complaints_cost_nothing() -> None:
    assert through(Ready(me=ME), BackendFailed(name="storage_initialization_error"))[1] is Remedy.FORGET_PROFILE
    assert through(Ready(me=ME), BackendFailed(name="some_other"))[0].state is S.READY


@pytest.mark.parametrize("reason", ["expired", "error"])
def test_a_pairing_code_that_ended_says_why_and_leaves_the_code_to_scan(reason: str) -> None:
    standing, _ = through(PairingCodeShown(code="ABCD"), PairingEnded(reason=reason))  # type: ignore[arg-type]
    assert standing.state is S.QR
    assert standing.cause


def test_the_end_of_a_pairing_that_was_asked_of_a_linked_session_changes_nothing() -> None:
    standing, remedy = through(Ready(me=ME), PairingEnded(reason="error"))
    assert (standing.state, remedy) == (S.READY, Remedy.NONE)


def test_a_heartbeat_changes_nothing() -> None:
    standing, remedy = through(Ready(me=ME), Alive(online=False, authenticated=True))
    assert (standing.state, remedy) == (S.READY, Remedy.NONE)


def test_facts_are_read_by_their_kind() -> None:
    assert FACT.validate_python({"kind": "qr", "code": "x", "added_later": 1}) == QrShown(code="x")
