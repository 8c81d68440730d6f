"""Telling: `campaign.progress` while counts move, at most once a second a campaign, whichever instance counts.

A change of state is told in its own transaction (`row.save`); this tells of the rest, the last counts included.
"""

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox

from blazz_campaign import row

_UNTOLD = f"""
update campaigns set told_revision = revision, told_at = now()
where id in (
    select id from campaigns where told_revision < revision and told_at <= now() - make_interval(secs => $1)
    order by told_at limit 100 for update skip locked)
returning {row.COLUMNS}, now() as now
"""  # noqa: S608


class Telling:
    """The round."""

    def __init__(self, database: Database, outbox: Outbox, *, every: float) -> None:
        """`every`: seconds between two tellings of one campaign, at least."""
        self._database, self._outbox, self._every = database, outbox, every

    async def run_once(self) -> None:
        """Tell what has moved."""
        async with self._database.worker() as connection:
            campaigns = [row.of(each) for each in await connection.fetch(_UNTOLD, self._every)]
            receipt = await self._outbox.add(connection, [each.progress() for each in campaigns])
        await self._outbox.send(receipt)
