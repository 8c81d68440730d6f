"""What a websocket client is told when something is not as it should be.

NotifierError
├── Refused             `pusher:error`, with the protocol's number
│   ├── Closing         … and the socket is closed with that number
└── SubscriptionRefused `pusher:error` and `pusher:subscription_error` for one channel

Numbers (pusher.com/docs/channels, "Websocket protocol"): 4000–4099 the client must not come back unchanged, 4100–4199
it comes back after a while, 4200–4299 it comes back at once, 4300–4399 anything else.
"""

from blazz_chassis.errors import BlazzError


class NotifierError(BlazzError):
    """Root of this package's errors."""

    code, title, status = "notifier", "The request cannot be served", 400


class Refused(NotifierError):
    """One message of a client is refused; the socket stays. `number` may be None, as the protocol allows."""

    code, title, status = "message_refused", "The message is refused", 400

    def __init__(self, number: int | None, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.number = number


class Closing(Refused):
    """The socket is closed with `number`, which tells the client whether to come back."""

    code, title = "socket_closed", "The connection is closed"
    number: int

    def __init__(self, number: int, detail: str, *, code: str | None = None) -> None:
        super().__init__(number, detail, code=code)


class SubscriptionRefused(NotifierError):
    """A subscription is refused (401, 400, 409) or has to wait (503); `kind` is what Pusher calls the error's type."""

    code, title, status = "subscription_refused", "The subscription is refused", 401

    def __init__(
        self, channel: str, detail: str, *, status: int = 401, kind: str = "AuthError", number: int | None = 4009
    ) -> None:
        super().__init__(detail, status=status)
        self.channel, self.kind, self.number = channel, kind, number


def invalid_message(detail: str = "Invalid message format") -> Refused:
    """What Reverb answers to anything it cannot read: 4200, and the socket stays."""
    return Refused(4200, detail, code="message_invalid")


def application_unknown(key: str) -> Closing:
    """The key in the path names no application."""
    return Closing(4001, f"Application key {key} does not exist. Check the key", code="application_unknown")


def path_unknown() -> Closing:
    """The path is not `/app/{key}`."""
    return Closing(4005, "Path not found. Connect to /app/{key}", code="path_unknown")


def version_invalid() -> Closing:
    """`protocol=` is no number."""
    return Closing(4006, "Invalid version string format. Send protocol=7", code="version_invalid")


def version_unsupported(version: int) -> Closing:
    """A protocol version that is not spoken here."""
    return Closing(4007, f"Unsupported protocol version {version}. Send protocol=7", code="version_unsupported")


def origin_refused() -> Closing:
    """A page of a host that may not connect."""
    return Closing(4009, "Origin not allowed", code="origin_refused")


def access_revoked(reason: str) -> Closing:
    """The token or the membership that the socket was admitted with ended."""
    return Closing(4009, f"Access was revoked: {reason}"[:120], code="access_revoked")


def over_quota() -> Closing:
    """The workspace has as many sockets here as it may have."""
    return Closing(4004, "Application is over connection quota", code="over_quota")


def over_capacity() -> Closing:
    """This instance is full; another one, or a later moment, may do."""
    return Closing(4100, "Over capacity. Try again later", code="over_capacity")


def crowded_out() -> Closing:
    """It has no signed subscription, and there are too many of these."""
    return Closing(4100, "Over capacity. Subscribe to a private channel, or try again later", code="crowded_out")


def unsigned_for_long() -> Closing:
    """It has had no signed subscription for so long that it connects anew."""
    return Closing(4200, "No private subscription for long. Reconnect immediately", code="unsigned_for_long")


def stopping() -> Closing:
    """This instance stops; another one takes over at once."""
    return Closing(4200, "The server restarts. Reconnect immediately", code="stopping")


def too_old() -> Closing:
    """Nobody may remember any more whose it is; it comes back at once."""
    return Closing(4200, "The connection is too old. Reconnect immediately", code="too_old")


def was_deaf() -> Closing:
    """This instance heard nothing for so long that access may have ended unnoticed; it comes back at once."""
    return Closing(4200, "Events were missed for long. Reconnect immediately", code="was_deaf")


def pong_missing() -> Closing:
    """The client did not answer a ping."""
    return Closing(4201, "Pong reply not received in time", code="pong_missing")


def rate_exceeded() -> Refused:
    """Too many client events a second; this one is not relayed."""
    return Refused(4301, "Rate limit exceeded. Send fewer client events a second", code="rate_exceeded")
