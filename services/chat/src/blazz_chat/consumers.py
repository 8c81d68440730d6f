"""Events in: each handler hands its event to a micro-batch, and is acked after the batch's commit."""

from collections.abc import Callable
from uuid import UUID

from blazz_chassis.app import Service
from blazz_chassis.batcher import Batcher
from blazz_chassis.consumer import Consumer
from blazz_chassis.errors import DependencyDown, Permanent
from blazz_contracts import Envelope
from blazz_contracts.events import (
    MessageRequested,
    ProviderAccount,
    ProviderMessage,
    ProviderPreference,
    ProviderSession,
    ProviderStatus,
    ProviderTemplate,
    ProviderUnrecognized,
    WebhooksAlive,
    WorkspaceUpdated,
)
from blazz_contracts.message import Lane
from blazz_contracts.topology import queues

from blazz_chat.dispatch import BULK, URGENT, Dispatch
from blazz_chat.in_hand import InHand
from blazz_chat.inbound import Inbound
from blazz_chat.intake import Intake
from blazz_chat.notices import Notice, Notices
from blazz_chat.sessions import STATE, Sessions
from blazz_chat.settings import Settings
from blazz_chat.statuses import Statuses
from blazz_chat.template_book import TemplateBook
from blazz_chat.workspaces import Workspaces


def requests(service: Service, settings: Settings, intake: Intake, dispatch: Dispatch) -> None:
    """Four lanes, four queues, four batches: none waits for another."""
    for lane in Lane:
        batcher: Batcher[MessageRequested, UUID | None] = service.batcher(
            intake.store, name=f"intake-{lane}", max_items=settings.chat_batch_items, max_wait=settings.chat_batch_wait
        )
        _lane(service.consumer, settings, lane, batcher, dispatch)


def _lane(
    consumer: Consumer,
    settings: Settings,
    lane: Lane,
    batcher: Batcher[MessageRequested, UUID | None],
    dispatch: Dispatch,
) -> None:
    lanes = URGENT if lane is Lane.URGENT else BULK

    @consumer.on(queues.CHAT_SEND[lane], MessageRequested, concurrency=settings.chat_intake_prefetch)
    async def requested(event: MessageRequested, _envelope: Envelope) -> None:
        channel_id = await batcher.submit(event)
        if channel_id is not None:
            dispatch.poke(channel_id, lanes)


def provider_facts(
    service: Service,
    settings: Settings,
    *,
    statuses: Statuses,
    inbound: Inbound,
    notices: Notices,
    book: TemplateBook,
    sessions: Sessions,
    dispatch: Dispatch,
    fetch: Callable[[], None],
) -> None:
    """What WhatsApp tells."""
    # A status event carries up to 500 items: a batch is weighed by them.
    applying = service.batcher(
        statuses.apply,
        name="statuses",
        max_items=1000,
        max_wait=settings.chat_batch_wait,
        weigh=lambda event: len(event.items),
    )
    storing = service.batcher(
        inbound.store, name="inbound", max_items=settings.chat_batch_items, max_wait=settings.chat_batch_wait
    )

    in_hand = InHand()
    # Which step of the ladder it is put on, the chassis knows: the longest covers all.
    away = settings.retry_scale * max(step.delay.total_seconds() for step in queues.CHAT_STATUSES.steps)

    @service.consumer.on(queues.CHAT_STATUSES, ProviderStatus, concurrency=100)
    async def told(event: ProviderStatus, _envelope: Envelope) -> None:
        with in_hand.holding():
            try:
                touched = await applying.submit(event)
            except (DependencyDown, Permanent):
                raise
            except Exception:
                # On its way into the retry queue, where beats overtake it.
                await statuses.hold_back(away)
                raise
        for channel_id in touched:
            dispatch.poke(channel_id)

    @service.consumer.on(queues.CHAT_STATUSES, WebhooksAlive, concurrency=100)
    async def alive(event: WebhooksAlive, _envelope: Envelope) -> None:
        # Behind every status that came before it: what is in hand now is committed first.
        failed = await in_hand.through()
        down = next((error for error in failed if isinstance(error, DependencyDown)), None)
        if down is not None:
            raise down  # they wait at the gate: so does this, behind them
        if not failed:
            await statuses.alive(event)  # else it would be ahead of them; the next beat is not far

    @service.consumer.on(queues.CHAT_INBOUND, ProviderMessage, concurrency=settings.chat_intake_prefetch)
    async def written(event: ProviderMessage, _envelope: Envelope) -> None:
        if await storing.submit(event):
            fetch()

    @service.consumer.on(queues.CHAT_INBOUND, ProviderSession)
    async def changed(event: ProviderSession, envelope: Envelope) -> None:
        if event.field != STATE:
            await notices.store(event, envelope)
        elif (channel_id := await sessions.told(event)) is not None:
            dispatch.poke(channel_id)

    @service.consumer.on(
        queues.CHAT_INBOUND, ProviderAccount, ProviderTemplate, ProviderPreference, ProviderUnrecognized
    )
    async def noticed(event: Notice, envelope: Envelope) -> None:
        await notices.store(event, envelope)
        if isinstance(event, ProviderTemplate):
            await book.told(event)


def workspaces(service: Service, known: Workspaces) -> None:
    """What the gateway tells of workspaces."""

    @service.consumer.on(queues.CHAT_WORKSPACES, WorkspaceUpdated)
    async def updated(event: WorkspaceUpdated, _envelope: Envelope) -> None:
        await known.update(event)
