"""What a client says, and what happens then: the Pusher protocol, version 7."""

import asyncio

from blazz_notifier import frame, inbound
from blazz_notifier.client_events import ClientEvents
from blazz_notifier.errors import Closing, Refused, SubscriptionRefused, invalid_message
from blazz_notifier.settings import Settings
from blazz_notifier.socket import Socket
from blazz_notifier.subscriptions import Subscriptions, refuse
from blazz_notifier.token_bucket import TokenBucket

_BURST = 2  # seconds' worth of messages at once: who reconnects subscribes to everything again


class Conversation:
    """Handles the messages of all sockets, one socket's in order."""

    def __init__(self, settings: Settings, subscriptions: Subscriptions, client_events: ClientEvents) -> None:
        self._settings, self._subscriptions, self._client_events = settings, subscriptions, client_events

    async def receive(self, socket: Socket, text: str | bytes) -> None:
        """Handle one message. What is refused is told to the client; raises `Closing` when the socket must go."""
        await self._slow_down(socket)
        if socket.leaving:
            return
        try:
            await self._handle(socket, inbound.read(text))
        except Closing:
            raise
        except SubscriptionRefused as error:
            refuse(socket, error)
        except Refused as error:
            socket.write(frame.error(error.number, error.detail))

    async def _handle(self, socket: Socket, message: inbound.Inbound) -> None:
        match message.event:
            case "pusher:ping":
                socket.write(frame.PONG)
            case "pusher:pong":
                pass  # that it said anything at all has been noted already
            case "pusher:subscribe":
                self._subscriptions.subscribe(socket, message.data)
            case "pusher:unsubscribe":
                self._subscriptions.unsubscribe(socket, message.data)
            case "pusher:signin":
                raise Refused(4009, "User authentication is not supported. Use presence channels", code="no_signin")
            case event if event.startswith("client-"):
                await self._client_events.relay(socket, message)
            case event:
                raise invalid_message(f"Unknown event {event[:50]!r}")

    async def _slow_down(self, socket: Socket) -> None:
        """Read no faster than the rate: more waits in the client's own connection and is nobody else's burden."""
        now = socket.loop.time()
        if socket.messages is None:
            rate = self._settings.notifier_message_rate
            socket.messages = TokenBucket(rate, rate * _BURST, rate * _BURST, now)
        while (wait := socket.messages.take(socket.loop.time())) > 0:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(wait)
