"""What can go wrong with a session. `SessionError` is the root; each has a stable code and a sentence for people."""

from blazz_chassis.errors import BlazzError, Invalid


class SessionError(BlazzError):
    """A session does not do what it was asked."""

    code, title, status = "session_error", "The WhatsApp Web session cannot do that", 409


class SessionNotFound(SessionError):
    """There is no such session in this workspace."""

    code, title, status = "session_not_found", "There is no such session in this workspace", 404


class TooManySessions(SessionError):
    """The workspace has as many sessions as it may have."""

    code, title = "session_limit", "This workspace has as many WhatsApp Web sessions as it may have"


class KeyReused(Invalid):
    """The Idempotency-Key was used with another body."""

    code, title = "idempotency_key_reused", "This Idempotency-Key was used with another request; use a new one"


class NoCode(SessionError):
    """There is no code to scan now."""

    code, title, status = "no_code", "There is no code to scan now", 409


class NotRunning(SessionError):
    """The session is stopped."""

    code, title, status = "session_not_running", "The session is stopped; start it first", 409


class AlreadyLinked(SessionError):
    """The session is linked: there is nothing to pair."""

    code, title, status = "already_linked", "The session is linked already; log it out to link another phone", 409


class ChatRefused(SessionError):
    """Chat did not make the channel."""

    code, title, status = "channel_refused", "The channel of the session could not be made", 502
