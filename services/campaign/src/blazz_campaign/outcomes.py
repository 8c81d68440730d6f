"""Outcomes: what chat tells of messages moves recipients forward and counts, exactly, in micro-batches."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.outbox import Outbox, Receipt
from blazz_contracts.events import MessageFailed, MessageSent, StatusUpdated
from blazz_contracts.message import OriginKind

from blazz_campaign import row
from blazz_campaign.state import PLACE, STOPPERS

# Under the locks of their campaigns nobody else changes these recipients, so what is read is what is changed.
_MOVE = """
with told as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[]) t (campaign_id, message_id, state, failure)
), forward as (
    select r.id, r.campaign_id, r.state as old, t.state::recipient_state as new, t.failure
    from told t join recipients r on r.message_id = t.message_id and r.campaign_id = t.campaign_id
    where r.state < t.state::recipient_state
), moved as (
    update recipients r set state = f.new, failure = f.failure, updated_at = now() from forward f where r.id = f.id
)
select campaign_id, old, new, count(*) as number, min(failure ->> 'code') filter (where failure ->> 'code' = any($5))
       as stopper
from forward group by campaign_id, old, new
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient's message."""

    campaign_id: UUID
    message_id: UUID
    state: str
    failure: dict[str, Any] | None = None


def of(event: MessageSent | MessageFailed | StatusUpdated) -> list[Outcome]:
    """The outcomes in an event that are of campaigns."""
    found: list[Outcome] = []
    for item in event.items:
        if item.origin.kind is not OriginKind.CAMPAIGN or item.origin.id is None:
            continue
        if isinstance(event, MessageSent):
            found.append(Outcome(item.origin.id, item.message_id, "sent"))
        elif isinstance(event, MessageFailed):
            failure = item.failure.model_dump()  # type: ignore[union-attr]
            found.append(Outcome(item.origin.id, item.message_id, "failed", failure))
        elif item.status in PLACE:  # type: ignore[union-attr]
            found.append(Outcome(item.origin.id, item.message_id, str(item.status)))  # type: ignore[union-attr]
    return found


class Outcomes:
    """Counts outcomes."""

    def __init__(self, database: Database, outbox: Outbox, poke: Callable[[Iterable[UUID]], None]) -> None:
        """`poke` is told of the campaigns that moved."""
        self._database, self._outbox, self._poke = database, outbox, poke

    async def count(self, batch: list[list[Outcome]]) -> Sequence[None]:
        """Count a batch: one transaction."""
        # Of one message the furthest counts; what came before it is behind it.
        furthest: dict[UUID, Outcome] = {}
        for outcome in (each for outcomes in batch for each in outcomes):
            known = furthest.get(outcome.message_id)
            if known is None or PLACE[known.state] < PLACE[outcome.state]:
                furthest[outcome.message_id] = outcome
        campaigns, receipt = await self._database.retrying(lambda: self._count(list(furthest.values())))
        reach("outcomes.committed")
        self._outbox.send_soon(receipt)
        self._poke(campaigns)
        return [None] * len(batch)

    async def _count(self, outcomes: list[Outcome]) -> tuple[list[UUID], Receipt]:
        async with self._database.worker() as connection:
            campaigns = await row.lock(connection, (each.campaign_id for each in outcomes))
            for found in await self._move(connection, outcomes):
                campaign = campaigns[found["campaign_id"]]
                campaign.move(found["old"], found["new"], found["number"])
                if found["stopper"] is not None and campaign.state == "sending":
                    campaign.to("paused", STOPPERS[found["stopper"]])
            moved = [each for each in campaigns.values() if each.moved]
            for campaign in moved:
                campaign.settle()
            receipt = await row.save(connection, self._outbox, moved)
        return [each.id for each in moved], receipt

    async def _move(self, connection: Connection, outcomes: list[Outcome]) -> list[Any]:
        return await connection.fetch(
            _MOVE,
            [each.campaign_id for each in outcomes],
            [each.message_id for each in outcomes],
            [each.state for each in outcomes],
            [each.failure for each in outcomes],
            list(STOPPERS),
        )
