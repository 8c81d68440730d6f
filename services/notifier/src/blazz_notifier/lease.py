"""This instance's lease on its presence rows, and what is left of instances that fell silent."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog
from blazz_chassis.database import Database
from blazz_chassis.errors import Unavailable

from blazz_notifier import presence_rows
from blazz_notifier.presence import Presence

log = structlog.get_logger(__name__)

_ORPHANS = 1000  # rows of dead instances taken away at a time
_FORGET_AFTER = 3600.0  # seconds a lapsed lease is kept, for those who look at what happened


class Lease:
    """Renewed three times as often as it needs to be; a renewal that comes too late stores all rows again."""

    def __init__(
        self,
        database: Database,
        presence: Presence,
        *,
        instance_id: UUID,
        name: str,
        seconds: float,
        check: float,
        lapsed: Callable[[], None] = lambda: None,
    ) -> None:
        """`seconds`: how long it lasts; `check`: seconds between two comparisons of all channels.

        `lapsed` is called when it had lapsed, besides storing the presence rows again.
        """
        self._database, self._presence, self._lapsed = database, presence, lapsed
        self._instance_id, self._name, self._seconds, self._check = instance_id, name, seconds, check

    async def run(self) -> None:
        """Renew the lease and clean up, until cancelled."""
        while True:
            try:
                await self.renew()
            except Unavailable as error:
                log.warning("lease_not_renewed", error=error.code)
            await asyncio.sleep(self._seconds / 3)

    async def renew(self) -> None:
        """Renew once, and take away what instances left that have no lease any more."""
        async with self._database.worker() as connection:
            held = await presence_rows.renew(connection, self._instance_id, self._name, self._seconds)
            left = await presence_rows.orphans(connection, _ORPHANS)
            if not left:
                await presence_rows.forget_instances(connection, _FORGET_AFTER)
        if not held and self._presence.leased.is_set():
            log.warning("lease_had_lapsed")
            self._presence.rejoin()
            self._lapsed()
        self._presence.leased.set()
        if left:
            log.info("orphans_removed", rows=len(left))
            for row in left:
                self._presence.leave(row)

    async def compare(self) -> None:
        """Compare what listeners were told with the table now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._check)
            self._presence.compare_all()

    async def end(self) -> None:
        """Give the lease up, so that what could not be removed in time is removed by others at once."""
        try:
            async with self._database.worker() as connection:
                await presence_rows.end(connection, self._instance_id)
        except Unavailable as error:
            log.info("lease_runs_out_by_itself", error=error.code)
