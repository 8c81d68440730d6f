"""The websocket server: admits sockets, keeps an eye on them, and lets them go in order."""

import asyncio
import fnmatch
import logging
import random
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import structlog
from blazz_chassis import client_address
from blazz_chassis.http_protocol import allow_many_files
from blazz_contracts.events import AccessRevoked
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from blazz_notifier import errors, frame, metrics
from blazz_notifier.channel_name import PUBLIC_WORKSPACE
from blazz_notifier.conversation import Conversation
from blazz_notifier.errors import Closing
from blazz_notifier.registry import Registry
from blazz_notifier.settings import Settings
from blazz_notifier.socket import Socket
from blazz_notifier.strangers import Strangers
from blazz_notifier.subscriptions import Subscriptions

log = structlog.get_logger(__name__)

PROTOCOLS = range(5, 8)  # 7 is what pusher-js speaks; what is sent here suits the older two as well
_CLOSE_TIMEOUT = 5.0  # seconds a client may take to answer a close frame
_BACKLOG = 1024  # connections the kernel holds until they are accepted: after an outage all come at once
_SPACING = 0.01  # seconds between two sockets closed at shutdown, when there are few


class WebsocketServer:
    """Serves `/app/{key}`."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        conversation: Conversation,
        subscriptions: Subscriptions,
        strangers: Strangers,
    ) -> None:
        self._settings, self._registry, self._strangers = settings, registry, strangers
        self._conversation, self._subscriptions = conversation, subscriptions
        strangers.part = self._crowded_out
        self._server: Server | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.draining = False
        self.port: int | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, then let the sockets go."""
        await self.start()
        sweeper = asyncio.create_task(self._sweep(), name="websocket-sweeper")
        try:
            await stopping.wait()
        finally:
            sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await sweeper
            await self.drain()

    async def start(self) -> None:
        """Begin to listen."""
        logging.getLogger("websockets.server").setLevel(logging.WARNING)  # each connection is an INFO line otherwise
        allow_many_files()
        self._server = await serve(
            self._serve,
            self._settings.notifier_ws_host,
            self._settings.notifier_ws_port,
            create_connection=Socket,
            # Compressing costs a context a socket, and a frame could not be built once for all.
            compression=None,
            # The protocol has pings of its own, and one task a socket is saved.
            ping_interval=None,
            close_timeout=_CLOSE_TIMEOUT,
            # A client event's data may be escaped into twice its size; over this the socket is closed with 1009.
            max_size=2 * self._settings.notifier_message_bytes + 4096,
            write_limit=self._settings.notifier_write_buffer,
            server_header=None,
            backlog=_BACKLOG,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("websocket_listening", host=self._settings.notifier_ws_host, port=self.port)

    # --- one socket

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Socket)
        socket, request = connection, connection.request
        assert request is not None
        try:
            self._admit(request)
        except Closing as error:
            await self._close(socket, error)
            return
        self._registry.open(socket)
        peer = socket.remote_address[0] if socket.remote_address else None
        forwarded = request.headers.get_all("X-Forwarded-For")
        socket.address = client_address.of(peer, forwarded, proxies=self._settings.trusted_proxies)
        self._strangers.add(socket)
        metrics.connections_opened.inc()
        try:
            socket.write(frame.established(socket.socket_id, self._settings.notifier_activity_timeout))
            while True:
                await self._conversation.receive(socket, await socket.recv())
        except ConnectionClosed:
            pass
        except Closing as error:
            await self._close(socket, error)
        finally:
            self._subscriptions.forget(socket)
            self._registry.close(socket)
            self._strangers.discard(socket)
            metrics.connections_closed.labels(_code_label(socket)).inc()

    def _admit(self, request: Request) -> None:
        """Raise `Closing` when this client is not served here."""
        try:
            url = urlsplit(request.path)
        except ValueError:
            raise errors.path_unknown() from None
        parts = url.path.split("/")
        if len(parts) != 3 or parts[1] != "app" or not parts[2]:
            raise errors.path_unknown()
        if parts[2] != self._settings.pusher_key:
            raise errors.application_unknown(parts[2][:50])
        version = parse_qs(url.query).get("protocol", ["7"])[0]
        if not version.isascii() or not version.isdigit():
            raise errors.version_invalid()
        if int(version[:9]) not in PROTOCOLS:
            raise errors.version_unsupported(int(version[:9]))
        origin = request.headers.get("Origin")
        if origin is not None and not self._allowed(origin):
            raise errors.origin_refused()
        if self.draining:
            raise errors.stopping()
        if len(self._registry.sockets) >= self._settings.notifier_max_connections:
            raise errors.over_capacity()

    def _allowed(self, origin: str) -> bool:
        try:
            host = urlsplit(origin).hostname or ""
        except ValueError:
            return False
        return any(fnmatch.fnmatchcase(host, pattern) for pattern in self._settings.notifier_allowed_origins)

    async def _close(self, socket: Socket, error: Closing) -> None:
        """Say why, then close with the number that tells the client whether to come back."""
        socket.leaving = True
        socket.write(frame.error(error.number, error.detail))
        await socket.close(error.number, error.detail[:120])

    def close_apart(self, socket: Socket, error: Closing) -> None:
        """Close a socket without waiting for its answer."""
        if socket.leaving:
            return
        socket.leaving = True
        task = asyncio.create_task(self._close(socket, error))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _crowded_out(self, socket: Socket) -> None:
        """Say why, and end the connection without a close handshake: a client that stays silent must not hold it."""
        error = errors.crowded_out()
        socket.leaving = True
        socket.write(frame.error(error.number, error.detail))
        socket.transport.close()

    # --- all sockets

    def revoke(self, event: AccessRevoked) -> None:
        """Close the sockets that were admitted with what ended. They may not come back with it."""
        for socket_id in event.socket_ids:
            socket = self._registry.sockets.get(socket_id)
            if socket is None:
                continue
            # It may hold signatures that it has not used yet.
            socket.barred.add(event.workspace_id)
            if event.workspace_id in socket.workspaces:
                log.info("socket_revoked", socket_id=socket_id, workspace_id=str(event.workspace_id))
                self.close_apart(socket, errors.access_revoked(event.reason))
                # At once, not when the client has answered the close: nothing more must reach it.
                self._subscriptions.forget(socket)

    def reconnect_all(self) -> None:
        """Ask every socket with a subscription of a workspace to come back, spread over `notifier_drain`."""
        sockets = [each for each in self._registry.sockets.values() if each.workspaces.keys() - {PUBLIC_WORKSPACE}]
        log.warning("sockets_asked_to_reconnect", sockets=len(sockets))
        task = asyncio.create_task(self._close_spread(sockets, errors.was_deaf()))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_spread(self, sockets: list[Socket], error: Closing) -> None:
        random.shuffle(sockets)
        spacing = min(_SPACING, self._settings.notifier_drain / max(1, len(sockets)))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, socket in enumerate(sockets):
            if (early := began + number * spacing - loop.time()) > 0:
                await asyncio.sleep(early)
            self.close_apart(socket, error)

    async def _sweep(self) -> None:
        """Ask the silent for a sign of life, and part from those who give none, and from the very old."""
        oldest = self._settings.notifier_socket_days * 86_400
        activity, pong = self._settings.notifier_activity_timeout, self._settings.notifier_pong_timeout
        pause = min(1.0, activity / 4, pong / 4)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for socket in list(self._strangers.since_before(now - self._settings.notifier_stranger_seconds)):
                self.close_apart(socket, errors.unsigned_for_long())
            for socket in list(self._registry.sockets.values()):
                # A few at a time of those that came together: a fifth of their time is of their own.
                if now - socket.opened_at > oldest * (0.8 + 0.2 * (hash(socket.socket_id) % 100) / 100):
                    self.close_apart(socket, errors.too_old())
                elif socket.pinged_at is None:
                    if now - socket.heard_at >= activity and socket.write(frame.PING):
                        socket.pinged_at = now
                elif now - socket.pinged_at >= pong:
                    self.close_apart(socket, errors.pong_missing())

    async def drain(self) -> None:
        """Take no more sockets and close those there are, spread over the drain time: not all reconnect at once."""
        if self._server is None:
            return
        self.draining = True
        self._server.close(close_connections=False)
        await self._close_spread(list(self._registry.sockets.values()), errors.stopping())
        await self._server.wait_closed()
        await asyncio.gather(*self._closing, return_exceptions=True)


def _code_label(socket: Socket) -> str:
    """A close code as a label: those that the protocols know, so that clients cannot make up new ones."""
    if socket.slow:
        return "slow_reader"
    code = socket.close_code
    if code is None:
        return "none"
    return str(code) if 1000 <= code <= 1015 or 4000 <= code <= 4302 else "other"
