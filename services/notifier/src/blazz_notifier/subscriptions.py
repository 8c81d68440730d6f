"""Subscribing and unsubscribing: who may, and in which order it becomes true.

A subscription is answered only when its workspace is bound on the broker: nothing said after the answer is missed.
While broker or database are away the client is told to be patient (503), and answered when they are back.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from blazz_chassis.errors import Unavailable

from blazz_notifier import channel_name, frame, metrics, signature
from blazz_notifier.bindings import Bindings
from blazz_notifier.channel_name import PUBLIC_WORKSPACE, ChannelKind, ChannelName
from blazz_notifier.errors import Refused, SubscriptionRefused, over_quota
from blazz_notifier.inbound import Member, read_member, text_of
from blazz_notifier.presence import Presence
from blazz_notifier.presence_rows import Row
from blazz_notifier.registry import Registry
from blazz_notifier.settings import Settings
from blazz_notifier.socket import Socket
from blazz_notifier.strangers import Strangers

log = structlog.get_logger(__name__)

_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts while something is away; the last one again and again
_NO_LIMIT = 10**9


@dataclass(slots=True, eq=False)
class _Attempt:
    """A subscription that waits for the broker or the database."""

    channel: ChannelName
    task: "asyncio.Task[None] | None" = None
    row: Row | None = None
    """What may be stored of it, on a presence channel."""
    over: bool = False


class Subscriptions:
    """The subscriptions of this instance's sockets."""

    def __init__(
        self, settings: Settings, registry: Registry, bindings: Bindings, presence: Presence, strangers: Strangers
    ) -> None:
        self._settings, self._registry, self._bindings, self._presence = settings, registry, bindings, presence
        self._strangers = strangers

    def subscribe(self, socket: Socket, data: dict[str, Any]) -> None:
        """Begin a subscription; the answer is written to the socket, now or later.

        Raises `SubscriptionRefused`, and `Closing` when the workspace has too many sockets.
        """
        given = text_of(data, "channel", required=True) or ""
        auth, channel_data = text_of(data, "auth"), text_of(data, "channel_data")
        try:
            channel = channel_name.read(given)
        except ValueError as error:
            raise SubscriptionRefused(given[:200], str(error), status=400, kind="ChannelError", number=None) from error
        if channel.kind is ChannelKind.ENCRYPTED:
            raise SubscriptionRefused(
                given,
                "Encrypted channels are not supported. Use private- and TLS",
                status=400,
                kind="ChannelError",
                number=None,
            )
        member = self._authorized(socket, channel, auth, channel_data)
        if channel.workspace_id in socket.barred:
            raise SubscriptionRefused(given, "Access was revoked. Connect again with a new token")
        if given in socket.channels:
            self._answer(socket, channel)
            return
        if given in socket.pending:
            return
        if len(socket.channels) + len(socket.pending) >= self._settings.notifier_socket_channels:
            raise SubscriptionRefused(
                given,
                f"A connection may have {self._settings.notifier_socket_channels} channels. Unsubscribe from some",
                status=409,
                kind="LimitReached",
                number=None,
            )
        if (
            channel.kind is ChannelKind.PUBLIC
            and not self._registry.has(given)
            and self._registry.channel_count(PUBLIC_WORKSPACE) >= self._settings.notifier_public_channels
        ):
            raise SubscriptionRefused(
                given,
                "There are too many public channels. Try again later",
                status=409,
                kind="LimitReached",
                number=None,
            )
        self._enter(socket, channel)
        if self._bindings.hold(channel.workspace_id) and member is None:
            self._admit(socket, channel)
        else:
            attempt = _Attempt(channel)
            task = asyncio.create_task(self._complete(socket, attempt, member))
            attempt.task = socket.pending[given] = task
            # Cancelled before it began, the task itself does nothing at all.
            task.add_done_callback(lambda _: self._give_up(socket, attempt))

    def unsubscribe(self, socket: Socket, data: dict[str, Any]) -> None:
        """End a subscription, begun or complete."""
        self._end(socket, text_of(data, "channel", required=True) or "")

    def forget(self, socket: Socket) -> None:
        """The socket is gone: end all its subscriptions."""
        for name in [*socket.pending, *socket.channels]:
            self._end(socket, name)

    # --- steps

    def _authorized(
        self, socket: Socket, channel: ChannelName, auth: str | None, channel_data: str | None
    ) -> Member | None:
        """Check the signature; return the member of a presence channel."""
        if not channel.signed:
            return None
        if auth is None or not signature.subscription_is_signed(
            auth,
            key=self._settings.pusher_key,
            secret=self._settings.pusher_secret.get_secret_value(),
            socket_id=socket.socket_id,
            channel=channel.name,
            channel_data=channel_data,
        ):
            raise SubscriptionRefused(
                channel.name, "Connection is unauthorized: the signature is not one for this socket and channel"
            )
        if channel.kind is not ChannelKind.PRESENCE:
            return None
        try:
            return read_member(channel_data, max_info_bytes=self._settings.notifier_presence_info_bytes)
        except Refused as error:
            raise SubscriptionRefused(channel.name, error.detail, status=400, number=error.number) from error

    def _enter(self, socket: Socket, channel: ChannelName) -> None:
        limit = self._settings.notifier_workspace_connections
        if not self._registry.enter(
            socket, channel.workspace_id, _NO_LIMIT if channel.workspace_id == PUBLIC_WORKSPACE else limit
        ):
            raise over_quota()
        if channel.signed:
            socket.signed += 1
            self._strangers.discard(socket)

    def _give_back(self, socket: Socket, channel: ChannelName) -> None:
        if channel.signed:
            socket.signed -= 1
            # Nobody must go for one that is gone, or goes.
            staying = socket.open and not socket.leaving and socket.socket_id in self._registry.sockets
            if not socket.signed and staying:
                self._strangers.add(socket)
        self._registry.leave(socket, channel.workspace_id)
        self._bindings.release(channel.workspace_id)

    async def _complete(self, socket: Socket, attempt: _Attempt, member: Member | None) -> None:
        """Wait for what the subscription needs, then admit it. Ends when it is admitted, refused or cancelled."""
        tries, told, channel = 0, False, attempt.channel
        row = attempt.row = None if member is None else self._presence.membership(socket, channel, member)

        def admit() -> bool:
            # Given up meanwhile: then the cancellation is on its way, and takes back what was stored.
            if socket.pending.get(channel.name) is not attempt.task:
                return False
            attempt.over = True
            self._admit(socket, channel)
            return True

        try:
            while True:
                try:
                    await self._bindings.wait(channel.workspace_id)
                    if row is None:
                        admit()
                    else:
                        await self._presence.join(socket, row, admit)
                except Unavailable as error:
                    if not told:
                        told = True
                        # The answer comes by itself when it can; the client may show this meanwhile.
                        refuse(socket, _patience(channel, error))
                    await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
                    tries += 1
                else:
                    return
        except SubscriptionRefused as error:
            self._give_up(socket, attempt)
            refuse(socket, error)
        except Exception:
            log.exception("subscription_failed", channel=channel.name)
            self._give_up(socket, attempt)
            detail = "The subscription failed. Try again"
            refuse(socket, SubscriptionRefused(channel.name, detail, status=500, kind="InternalError", number=None))

    def _give_up(self, socket: Socket, attempt: _Attempt) -> None:
        """A pending subscription ends; unless it was admitted, what it counted for is given back, once."""
        if attempt.over:
            return
        attempt.over = True
        if socket.pending.get(attempt.channel.name) is attempt.task:
            del socket.pending[attempt.channel.name]
        self._give_back(socket, attempt.channel)
        if attempt.row is not None:
            self._presence.leave(attempt.row)

    def _admit(self, socket: Socket, channel: ChannelName) -> None:
        # No longer pending, so that ending it does not cancel the task that brought it here.
        socket.pending.pop(channel.name, None)
        self._registry.subscribe(socket, channel)
        self._answer(socket, channel)

    def _answer(self, socket: Socket, channel: ChannelName) -> None:
        data = self._presence.snapshot(channel.name) if channel.kind is ChannelKind.PRESENCE else None
        socket.write(frame.subscription_succeeded(channel.name, data))

    def _end(self, socket: Socket, name: str) -> None:
        channel = socket.channels.get(name)
        if channel is not None:
            self._registry.unsubscribe(socket, channel)
            row = socket.memberships.pop(name, None)
            if row is not None:
                self._presence.leave(row)
            self._give_back(socket, channel)
        task = socket.pending.pop(name, None)
        if task is not None:
            task.cancel()


def _patience(channel: ChannelName, error: Unavailable) -> SubscriptionRefused:
    detail = f"{error.detail}. The subscription is completed by itself as soon as it can be"
    return SubscriptionRefused(channel.name, detail, status=503, kind="Unavailable", number=None)


def refuse(socket: Socket, error: SubscriptionRefused) -> None:
    """Tell the client, both as Reverb does (`pusher:error`) and as Pusher does (on the channel)."""
    metrics.subscriptions_refused.labels(str(error.status)).inc()
    if error.number is not None:
        socket.write(frame.error(error.number, error.detail))
    socket.write(frame.subscription_error(error.channel, error.kind, error.detail, error.status))
