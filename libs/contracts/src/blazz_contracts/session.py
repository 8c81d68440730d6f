"""A WhatsApp Web session: its states, and what each means for sending."""

from enum import StrEnum


class SessionState(StrEnum):
    """Where a session stands. Messages leave in `ready` alone."""

    STOPPED = "stopped"
    """Nobody runs it, by a person's wish."""
    STARTING = "starting"
    """A browser opens, or it waits for an instance with room."""
    QR = "qr"
    """It waits for a phone to scan its code."""
    PAIRING = "pairing"
    """It waits for a pairing code to be typed into the phone."""
    SYNCING = "syncing"
    """Linked; chats are being loaded."""
    READY = "ready"
    CONFLICT = "conflict"
    """WhatsApp Web was opened elsewhere with the same device."""
    OFFLINE = "offline"
    """Linked, but there is no connection to WhatsApp now."""
    AUTH_FAILED = "auth_failed"
    """The phone has logged it out, or linking failed: it must be linked anew."""
    BANNED = "banned"
    """WhatsApp has blocked the number."""


LINKED = frozenset({SessionState.SYNCING, SessionState.READY, SessionState.CONFLICT, SessionState.OFFLINE})
"""States in which a phone has the device among its linked ones."""
