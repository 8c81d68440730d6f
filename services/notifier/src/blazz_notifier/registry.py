"""Who listens to what on this instance."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from blazz_notifier import metrics
from blazz_notifier.channel_name import ChannelName
from blazz_notifier.socket import Socket


class Registry:
    """The sockets of this instance and their subscriptions. All in memory, all synchronous."""

    def __init__(self) -> None:
        self.sockets: dict[str, Socket] = {}
        self._listeners: dict[str, dict[str, Socket]] = {}
        self._names: dict[str, ChannelName] = {}
        self._of_workspace: dict[UUID, dict[str, ChannelName]] = {}
        self._sockets_of: dict[UUID, set[str]] = {}
        self.changed: dict[str, ChannelName] = {}
        """Channels whose number of listeners changed; whoever writes that down takes them out."""

    # --- sockets

    def open(self, socket: Socket) -> None:
        """A socket was admitted."""
        self.sockets[socket.socket_id] = socket
        metrics.connections.set(len(self.sockets))

    def close(self, socket: Socket) -> None:
        """A socket is gone; its subscriptions must have been removed."""
        self.sockets.pop(socket.socket_id, None)
        metrics.connections.set(len(self.sockets))

    # --- subscriptions

    def subscribe(self, socket: Socket, channel: ChannelName) -> None:
        """Add the socket to the channel's listeners."""
        if channel.name in socket.channels:
            return
        socket.channels[channel.name] = channel
        if channel.name not in self._listeners:
            self._listeners[channel.name] = {}
            self._names[channel.name] = channel
            self._of_workspace.setdefault(channel.workspace_id, {})[channel.name] = channel
        self._listeners[channel.name][socket.socket_id] = socket
        self.changed[channel.name] = channel
        metrics.subscriptions.labels(channel.kind).inc()

    def unsubscribe(self, socket: Socket, channel: ChannelName) -> None:
        """Take the socket off the channel's listeners."""
        if socket.channels.pop(channel.name, None) is None:
            return
        metrics.subscriptions.labels(channel.kind).dec()
        listeners = self._listeners[channel.name]
        del listeners[socket.socket_id]
        self.changed[channel.name] = channel
        if not listeners:
            del self._listeners[channel.name], self._names[channel.name]
            channels = self._of_workspace[channel.workspace_id]
            del channels[channel.name]
            if not channels:
                del self._of_workspace[channel.workspace_id]

    # --- a workspace's share of the instance

    def enter(self, socket: Socket, workspace_id: UUID, limit: int) -> bool:
        """Count one more interest of the socket in the workspace. False: the workspace has `limit` sockets already."""
        if workspace_id not in socket.workspaces:
            inside = self._sockets_of.setdefault(workspace_id, set())
            if len(inside) >= limit:
                return False
            inside.add(socket.socket_id)
        socket.workspaces[workspace_id] = socket.workspaces.get(workspace_id, 0) + 1
        return True

    def leave(self, socket: Socket, workspace_id: UUID) -> None:
        """Count one interest less."""
        left = socket.workspaces[workspace_id] - 1
        if left:
            socket.workspaces[workspace_id] = left
            return
        del socket.workspaces[workspace_id]
        inside = self._sockets_of[workspace_id]
        inside.discard(socket.socket_id)
        if not inside:
            del self._sockets_of[workspace_id]

    # --- questions

    def listeners(self, channel: str) -> dict[str, Socket]:
        """The channel's listeners by socket id; not to be changed."""
        return self._listeners.get(channel, {})

    def has(self, channel: str) -> bool:
        """Whether anybody here listens to it."""
        return channel in self._listeners

    def channel_count(self, workspace_id: UUID) -> int:
        """How many channels of the workspace have a listener here."""
        return len(self._of_workspace.get(workspace_id, ()))

    def channels_of(self, workspace_id: UUID) -> Iterable[ChannelName]:
        """The workspace's channels that have a listener here."""
        return self._of_workspace.get(workspace_id, {}).values()

    def channels(self) -> Iterator[tuple[ChannelName, int]]:
        """Every channel that has a listener here, and how many."""
        for name, listeners in self._listeners.items():
            yield self._names[name], len(listeners)
