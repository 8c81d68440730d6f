"""Freezing: a list becomes recipients, each with the id of the message that they will get.

A page of rows, the counts and the place in the list are committed together: a process that dies goes on from there.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Database
from blazz_chassis.errors import DependencyDown, Unavailable
from blazz_chassis.jobs import Job, JobLost
from blazz_chassis.outbox import Outbox, Receipt

from blazz_campaign import lists, recipients, row
from blazz_campaign.row import Campaign
from blazz_campaign.spreadsheet import BadSpreadsheet, Row
from blazz_campaign.state import FINAL
from blazz_campaign.wording import Wording

log = structlog.get_logger(__name__)

KIND = "freeze"
_SHOWN = 100  # refused rows that are kept with their reasons

_CONTENT = "select content from campaigns where id = $1"
_REFUSED = "update campaigns set invalid_rows = invalid_rows || $2 where id = $1"
# Jobs whose process died on them again and again end without their handler.
_GIVEN_UP = """
select c.id from campaigns c join jobs j on j.id = c.job_id
where j.state = 'failed' and c.frozen_at is null and c.state in ('draft', 'freezing', 'paused')
"""
# Long after anybody asks how a list was frozen; in parts, so that no statement takes long.
_PURGE = """
delete from jobs where id in (
    select id from jobs
    where state in ('done', 'failed', 'cancelled') and updated_at < now() - make_interval(days => $1) limit $2)
"""
_KEPT = 30  # days
_PART = 1000


class Freezing:
    """The job."""

    def __init__(self, database: Database, outbox: Outbox, look: Callable[[], None], *, page: int, most: int) -> None:
        """`look`: there may be something to send. `page`: rows in one transaction; `most`: recipients in all."""
        self._database, self._outbox, self._look = database, outbox, look
        self._page, self._most = page, most

    async def run(self, job: Job) -> dict[str, Any]:
        """Freeze the list of `job.input["campaign_id"]`."""
        campaign_id = UUID(job.input["campaign_id"])
        try:
            return await self._freeze(job, campaign_id, job.input["kind"])
        except BadSpreadsheet as error:
            await self.fail(campaign_id, f"The list cannot be read: {error.detail}.")
            return {"failed": error.detail}
        except (DependencyDown, JobLost):
            raise
        except Unavailable as error:
            raise DependencyDown(error.detail) from error  # a lock or a statement took too long: later
        except Exception:
            await self.fail(campaign_id, "The list could not be frozen because of a fault of ours. Create it again.")
            raise

    async def _freeze(self, job: Job, campaign_id: UUID, kind: lists.Kind) -> dict[str, Any]:
        async with self._database.worker() as connection:
            content = await connection.fetchval(_CONTENT, campaign_id)
        if content is None:
            return {}
        wording = Wording(content)
        done = job.cursor["row"] if job.cursor else 0
        rows = lists.rows(await lists.load(self._database, campaign_id), kind)
        rest = (each for each in rows if each.number > done)
        while True:
            page = list(islice(rest, self._page))
            last = len(page) < self._page
            campaign, receipt = await self._database.retrying(
                lambda: self._commit(job, campaign_id, wording, page, last=last)  # noqa: B023 - awaited right here
            )
            reach("campaign.frozen_page")
            self._outbox.send_soon(receipt)
            if campaign is None:
                return {"stopped": True}
            if last:
                self._look()
                log.info("campaign_frozen", campaign_id=str(campaign_id), recipients=campaign.counts.total())
                return {
                    "recipients": campaign.counts.total(),
                    "duplicates": campaign.duplicates,
                    "invalid": campaign.invalid,
                }

    async def _commit(
        self, job: Job, campaign_id: UUID, wording: Wording, page: list[Row], *, last: bool
    ) -> tuple[Campaign | None, Receipt]:
        """Commit one page; no campaign when it is over and nobody needs its list any more."""
        async with self._database.worker() as connection:
            campaign = (await row.lock(connection, [campaign_id])).get(campaign_id)
            if campaign is None or campaign.state in FINAL:
                await lists.forget(connection, campaign_id)
                return None, await self._outbox.add(connection, [])
            good = [each for each in page if each.refusal is None]
            if good:
                refusals = [wording.refusal(each.variables or {}) for each in good]
                await recipients.add(connection, campaign, good, refusals)
            if len(good) < len(page):
                refused = (each for each in page if each.refusal is not None)
                shown = list(islice(refused, max(0, _SHOWN - campaign.invalid)))
                campaign.invalid += len(page) - len(good)
                await connection.execute(_REFUSED, campaign_id, _told(shown))
            if campaign.counts.total() > self._most:
                raise BadSpreadsheet(f"it names more than {self._most:,} numbers; split it")
            if last:
                await lists.forget(connection, campaign_id)
                self._end(campaign)
            receipt = await row.save(connection, self._outbox, [campaign])
            number = page[-1].number if page else job.done
            await job.progress(number, cursor={"row": number}, connection=connection)
        return campaign, receipt

    def _end(self, campaign: Campaign) -> None:
        campaign.frozen_at = campaign.now
        if campaign.counts.total() == 0:
            campaign.to("failed", "The list names nobody who could be written to.")
        elif campaign.state == "freezing":
            campaign.to("sending")
        campaign.settle()

    async def fail(self, campaign_id: UUID, reason: str) -> None:
        """Give a campaign up whose list cannot be frozen; nobody gets a message."""
        async with self._database.worker() as connection:
            campaign = (await row.lock(connection, [campaign_id])).get(campaign_id)
            if campaign is None or campaign.state in FINAL:
                return
            await recipients.cancel_queued(connection, campaign)
            await lists.forget(connection, campaign_id)
            campaign.to("failed", reason)
            receipt = await row.save(connection, self._outbox, [campaign])
        await self._outbox.send(receipt)

    async def purge(self) -> None:
        """Forget jobs that ended long ago."""
        while True:
            async with self._database.worker() as connection:
                done = await connection.execute(_PURGE, _KEPT, _PART)
            if done != f"DELETE {_PART}":
                return

    async def give_up(self) -> None:
        """Fail the campaigns whose job was given up."""
        async with self._database.worker() as connection:
            found = await connection.fetch(_GIVEN_UP)
        for each in found:
            await self.fail(each["id"], "The list could not be frozen: it was tried again and again. Create it again.")


def _told(refused: Iterable[Row]) -> list[dict[str, Any]]:
    return [{"row": each.number, "reason": (each.refusal or "")[:300]} for each in refused]
