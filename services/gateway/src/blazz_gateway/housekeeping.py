"""What happens by the clock: expired access closes its websockets, old rows are forgotten."""

import asyncio
import random

import structlog
from blazz_chassis import inbox
from blazz_chassis.database import Database
from blazz_chassis.errors import Unavailable

from blazz_gateway import invitation, rate, socket
from blazz_gateway.acceptance import Acceptance
from blazz_gateway.socket_closing import SocketClosing

log = structlog.get_logger(__name__)

_FORGET_EVERY = 20
"""Rounds between two that delete old rows: nothing waits for them."""
_SESSIONS = """
delete from sessions where id in
  (select id from sessions where greatest(expires_at, ended_at) < now() - interval '30 days' limit 1000)
"""


class Housekeeping:
    """Runs in every instance; two that meet do the same work once, by row locks."""

    def __init__(
        self, database: Database, closing: SocketClosing, acceptance: Acceptance, *, seconds: float, kept_hours: float
    ) -> None:
        """`seconds` between two rounds."""
        self._database, self._closing, self._acceptance = database, closing, acceptance
        self._seconds, self._kept_hours = seconds, kept_hours

    async def run(self) -> None:
        """For ever."""
        turn = random.randrange(_FORGET_EVERY)  # noqa: S311 - instances take turns
        while True:
            # Spread, so that instances started together do not work together.
            await asyncio.sleep(self._seconds * random.uniform(0.7, 1.3))  # noqa: S311
            turn += 1
            try:
                await self._closing.close_left_over()
                if turn % _FORGET_EVERY == 0:
                    await self.forget()
                # Last: it needs the broker, and the rest does not.
                await self._closing.repeat()
            except Unavailable as error:
                log.info("housekeeping_waits", reason=error.code)

    async def forget(self) -> None:
        """Delete what is too old to matter."""
        while await self._acceptance.forget(self._kept_hours):
            pass
        async with self._database.worker() as connection:
            await rate.forget(connection)
            await invitation.forget(connection)
            await socket.forget(connection)
            await connection.execute(_SESSIONS)
        await inbox.prune(self._database)
