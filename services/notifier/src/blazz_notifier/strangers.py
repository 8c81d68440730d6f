"""Sockets that nobody vouched for: they have no signed subscription, now.

Everybody begins as one, and anybody can be one, so they have a share of the instance and a number by address. Over
either the longest there goes, not the newcomer: a page that subscribes in its first second is never in question.
"""

from collections.abc import Callable, Iterator

from blazz_notifier.socket import Socket


class Strangers:
    """The strangers of this instance, in the order in which they became it."""

    def __init__(self, *, most: int, of_address: int) -> None:
        """`most` of them all, `of_address` of one address."""
        self._most, self._of_address = most, of_address
        self.part: Callable[[Socket], None] = lambda _: None
        """Lets one go; the server's."""
        self._all: dict[str, Socket] = {}
        self._by_address: dict[str, dict[str, Socket]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, socket: Socket) -> None:
        """It has no signed subscription (any more). Another may have to go for it."""
        socket.stranger_since = socket.loop.time()
        mine = self._by_address.setdefault(socket.address, {})
        self._all[socket.socket_id] = mine[socket.socket_id] = socket
        crowd = mine if len(mine) > self._of_address else self._all if len(self._all) > self._most else None
        if crowd is not None:
            oldest = next(iter(crowd.values()))
            self.discard(oldest)
            self.part(oldest)

    def discard(self, socket: Socket) -> None:
        """Somebody vouched for it, or it is gone."""
        if self._all.pop(socket.socket_id, None) is None:
            return
        mine = self._by_address[socket.address]
        del mine[socket.socket_id]
        if not mine:
            del self._by_address[socket.address]

    def since_before(self, moment: float) -> Iterator[Socket]:
        """Those who have been it since before this moment of the loop's clock."""
        for socket in self._all.values():
            if socket.stranger_since >= moment:
                return
            yield socket
