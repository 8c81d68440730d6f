"""Client events: what one member of a channel tells the others, whichever instance they are on."""

from typing import Protocol

import orjson
from blazz_chassis.errors import Unavailable
from blazz_contracts.event import Event
from blazz_contracts.events import SocketTriggered

from blazz_notifier import metrics
from blazz_notifier.channel_name import ChannelKind
from blazz_notifier.errors import Refused, rate_exceeded
from blazz_notifier.inbound import Inbound
from blazz_notifier.settings import Settings
from blazz_notifier.socket import Socket
from blazz_notifier.token_bucket import TokenBucket


class Publisher(Protocol):
    """What is needed of the chassis' publisher."""

    async def publish(self, event: Event) -> object: ...  # noqa: D102


class ClientEvents:
    """Relays client events over the broker, back to this instance too: so all listeners see one order."""

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings, self._publisher = settings, publisher

    async def relay(self, socket: Socket, inbound: Inbound) -> None:
        """Pass a client event on; raise `Refused` saying why not."""
        try:
            event = self._checked(socket, inbound)
        except Refused:
            metrics.client_events.labels("refused").inc()
            raise
        try:
            await self._publisher.publish(event)
        except Unavailable as error:
            metrics.client_events.labels("lost").inc()
            raise Refused(None, "The client event was not relayed: the broker is away", code="not_relayed") from error
        metrics.client_events.labels("relayed").inc()

    def _checked(self, socket: Socket, inbound: Inbound) -> SocketTriggered:
        channel = socket.channels.get(inbound.channel or "")
        if channel is None:
            raise Refused(4009, "The client is not a member of the specified channel.", code="not_a_member")
        if channel.kind is ChannelKind.PUBLIC:
            raise Refused(
                4009, "Client events are only taken on private and presence channels.", code="client_event_refused"
            )
        if socket.client_events is None:
            rate = self._settings.notifier_client_event_rate
            socket.client_events = TokenBucket(rate, rate, rate, socket.loop.time())
        if socket.client_events.take(socket.loop.time()) > 0:
            raise rate_exceeded()
        # A string travels as it is: clients parse it if it is JSON, as they do with what Pusher relays.
        data = inbound.data if isinstance(inbound.data, str) else orjson.dumps(inbound.data).decode()
        if len(data.encode()) > self._settings.notifier_message_bytes:
            raise Refused(
                None,
                f"The data of a client event must not exceed {self._settings.notifier_message_bytes} bytes",
                code="client_event_too_large",
            )
        membership = socket.memberships.get(channel.name)
        return SocketTriggered(
            workspace_id=channel.workspace_id,
            channels=[channel.name],
            event=inbound.event,
            data=data,
            user_id=membership.user_id if membership is not None else None,
            except_socket_id=socket.socket_id,
        )
