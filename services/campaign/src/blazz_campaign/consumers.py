"""Events in: what chat tells of messages goes into a micro-batch, and is acked after the batch's commit."""

from blazz_chassis.app import Service
from blazz_contracts import Envelope
from blazz_contracts.events import MessageFailed, MessageSent, StatusUpdated
from blazz_contracts.topology import queues

from blazz_campaign import outcomes
from blazz_campaign.outcomes import Outcomes
from blazz_campaign.settings import Settings

# Events may carry 500 items each: four of them are two batches' work.
_PREFETCH = 50


def register(service: Service, settings: Settings, counting: Outcomes) -> None:
    """Consume the outcomes."""
    batcher = service.batcher(
        counting.count,
        name="outcomes",
        max_items=settings.campaign_outcome_items,
        max_wait=settings.campaign_outcome_wait,
        weigh=len,
    )

    @service.consumer.on(queues.CAMPAIGN_OUTCOMES, MessageSent, MessageFailed, StatusUpdated, concurrency=_PREFETCH)
    async def told(event: MessageSent | MessageFailed | StatusUpdated, _envelope: Envelope) -> None:
        found = outcomes.of(event)
        if found:
            await batcher.submit(found)
