"""Closing the websockets of access that ended: after the end itself is committed, and piece by piece.

The end of access must not wait for how many sockets there are. So it is committed with a note of what is to be closed
(`socket.ended`), and the closing goes on from that note: at once here, or in any instance's housekeeping after a crash.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import Unavailable
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher
from blazz_contracts.events import AccessRevoked

from blazz_gateway import socket

log = structlog.get_logger(__name__)

Piece = Callable[[Connection], Awaitable[list[AccessRevoked]]]


class SocketClosing:
    """Tells the notifier which sockets to close."""

    def __init__(self, database: Database, outbox: Outbox, publisher: Publisher, *, repeat_seconds: float) -> None:
        """`repeat_seconds` between two times that the notifier is told of the same sockets."""
        self._database, self._outbox, self._publisher = database, outbox, publisher
        self._apart = timedelta(seconds=repeat_seconds)

    async def close(self, end_id: UUID) -> None:
        """Close what this end of access leaves open. While something is away, housekeeping does it later."""
        try:
            await self._all(lambda connection: socket.close_piece(connection, end_id))
        except Unavailable as error:
            log.warning("sockets_closed_later", end_id=str(end_id), reason=error.code)

    async def close_left_over(self) -> None:
        """Close the sockets of credentials that ran out, and go on with ends of access that a crash left."""
        await self._all(socket.expired_piece)
        async with self._database.worker() as connection:
            left = await socket.ends(connection)
        for end_id in left:
            await self.close(end_id)

    async def repeat(self) -> None:
        """Tell of closed sockets again. Not by the outbox: what waits for the broker there has not been told.

        Raises `Unavailable`; it is told again a turn later then.
        """
        while True:
            async with self._database.worker() as connection:
                rows, events = await socket.due_again(connection, self._apart)
            if not rows:
                return
            await self._publisher.publish_many(events)
            async with self._database.worker() as connection:
                await socket.told_again(connection, rows)

    async def _all(self, piece: Piece) -> None:
        while True:
            async with self._database.worker() as connection:
                events = await piece(connection)
                receipt = await self._outbox.add(connection, events)
            await self._outbox.send(receipt)
            if sum(len(event.socket_ids) for event in events) < socket.PIECE:
                return
