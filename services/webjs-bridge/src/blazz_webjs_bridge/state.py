"""Where a session stands, by what the page tells. Pure rules, no I/O."""

from dataclasses import dataclass, replace
from enum import StrEnum

from blazz_contracts.session import SessionState

from blazz_webjs_bridge.page.facts import (
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
from blazz_webjs_bridge.page.words import Mode

S = SessionState


class Remedy(StrEnum):
    """What the session does about a fact, beside changing its state."""

    NONE = "none"
    OPEN_ANEW = "open_anew"
    """Close the browser and open it again; the profile stays."""
    LINK_ANEW = "link_anew"
    """The device is not linked any more: forget the profile and stop until a person starts it again."""
    FORGET_PROFILE = "forget_profile"
    """The profile is broken: forget it and open again, with a new code to scan."""
    TAKE_OVER = "take_over"
    """Take the session back, where its options say so."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A state and its cause, for people."""

    state: SessionState
    cause: str | None = None
    linked: bool = False
    """Whether the page was ready since it was opened: MAIN then means ready again."""


_MODES: dict[str, tuple[SessionState, str, Remedy]] = {
    Mode.SYNCING: (S.SYNCING, "loading chats", Remedy.NONE),
    Mode.OFFLINE: (S.OFFLINE, "no connection to WhatsApp; messages wait", Remedy.NONE),
    Mode.CONFLICT: (
        S.CONFLICT,
        "WhatsApp Web was opened elsewhere with this device; restart the session to use it here",
        Remedy.TAKE_OVER,
    ),
    Mode.PROXYBLOCK: (S.OFFLINE, "WhatsApp blocks the network address of this server", Remedy.NONE),
    Mode.TOS_BLOCK: (S.BANNED, "WhatsApp has blocked this number for breaking its terms", Remedy.NONE),
    Mode.SMB_TOS_BLOCK: (S.BANNED, "WhatsApp has blocked this business number for breaking its terms", Remedy.NONE),
    # A newer page comes by opening it again; the profile is good.
    Mode.DEPRECATED_VERSION: (
        S.OFFLINE,
        "this version of WhatsApp Web is too old; loading a newer one",
        Remedy.OPEN_ANEW,
    ),
}
STORAGE_BROKEN = "storage_initialization_error"


def after(standing: Standing, fact: Fact) -> tuple[Standing, Remedy]:
    """Return where the session stands after a fact, and what is to be done about it."""
    match fact:
        case QrShown():
            return Standing(S.QR, "waits for a phone to scan the code"), Remedy.NONE
        case PairingCodeShown():
            return Standing(S.PAIRING, "waits for the pairing code to be typed into the phone"), Remedy.NONE
        case PairingEnded(reason=reason) if standing.state is S.PAIRING:
            cause = "the pairing code has expired" if reason == "expired" else "WhatsApp refused the pairing code"
            return Standing(S.QR, f"{cause}; scan the code, or ask for a new one"), Remedy.NONE
        case Linked():
            return Standing(S.SYNCING, "linked; loading chats"), Remedy.NONE
        case Ready():
            return Standing(S.READY, None, linked=True), Remedy.NONE
        case LoggedOut():
            return Standing(
                S.AUTH_FAILED, "logged out by the phone; start the session to link it again"
            ), Remedy.LINK_ANEW
        case BackendFailed(name=name) if name == STORAGE_BROKEN:
            cause = "the browser's storage broke; link the phone again"
            return Standing(S.STARTING, cause), Remedy.FORGET_PROFILE
        case ModeChanged(mode=mode):
            return _mode(standing, str(mode))
    return standing, Remedy.NONE


def _mode(standing: Standing, mode: str) -> tuple[Standing, Remedy]:
    if mode == Mode.MAIN and standing.linked and standing.state is not S.READY:
        return replace(standing, state=S.READY, cause=None), Remedy.NONE
    if mode not in _MODES:
        return standing, Remedy.NONE
    state, cause, remedy = _MODES[mode]
    if state is S.SYNCING and not standing.linked and standing.state not in (S.QR, S.PAIRING, S.STARTING):
        return standing, remedy
    return replace(standing, state=state, cause=cause), remedy
