"""The queues of every service, and what reaches them."""

from typing import Any
from uuid import UUID

from blazz_contracts.event import Event
from blazz_contracts.events import (
    AccessRevoked,
    AuditRecorded,
    CampaignProgress,
    ChannelUpdated,
    ContactUpdated,
    MessageChanged,
    MessageCreated,
    MessageFailed,
    MessageReceived,
    MessageRequested,
    MessageSent,
    PresenceChanged,
    ProviderAccount,
    ProviderMessage,
    ProviderPreference,
    ProviderSession,
    ProviderStatus,
    ProviderTemplate,
    ProviderUnrecognized,
    SessionUpdated,
    SocketTriggered,
    StatusUpdated,
    WebhooksAlive,
    WorkspaceUpdated,
)
from blazz_contracts.message import Lane
from blazz_contracts.topology.exchange import COMMANDS, EVENTS, INBOUND, SESSIONS, SESSIONS_LADDER
from blazz_contracts.topology.queue import Binding, Ladder, Queue


def _inbound(*events: type[Event]) -> tuple[Binding, ...]:
    return tuple(Binding(INBOUND.name, event.name) for event in events)


def _events(*events: type[Event]) -> tuple[Binding, ...]:
    return tuple(Binding(EVENTS.name, f"{event.name}.*") for event in events)


# One queue a lane, each with a single active consumer: requests are stored in the order they were made, whichever
# instance stores them. Sending is shared by all instances.
CHAT_SEND: dict[Lane, Queue] = {
    lane: Queue(
        f"chat.send.{lane}",
        "chat",
        (Binding(COMMANDS.name, f"{MessageRequested.name}.{lane}"),),
        single_active_consumer=True,
    )
    for lane in Lane
}
# Statuses have a queue of their own: a campaign's hundred thousand ticks never delay a customer's message. One consumer
# at a time: a beat of `webhooks.alive` says that all before it was seen, which no other instance may still hold.
CHAT_STATUSES = Queue("chat.statuses", "chat", _inbound(ProviderStatus, WebhooksAlive), single_active_consumer=True)
# One consumer at a time: what a customer writes in a row stays in that order.
CHAT_INBOUND = Queue(
    "chat.inbound",
    "chat",
    _inbound(
        ProviderMessage, ProviderAccount, ProviderTemplate, ProviderPreference, ProviderSession, ProviderUnrecognized
    ),
    single_active_consumer=True,
)
CHAT_WORKSPACES = Queue("chat.workspaces", "chat", _events(WorkspaceUpdated))
CAMPAIGN_OUTCOMES = Queue("campaign.outcomes", "campaign", _events(MessageSent, MessageFailed, StatusUpdated))
GATEWAY_CHANNELS = Queue("gateway.channels", "gateway", _events(ChannelUpdated))
GATEWAY_AUDIT = Queue("gateway.audit", "gateway", _events(AuditRecorded))

UNROUTED_QUEUE = "blazz.unrouted"
"""Keeps what no queue takes: an event whose consumer is not deployed yet."""
PASSING_QUEUE = "blazz.passing"
"""Takes, and drops at once, what only listeners of the moment care for; else it would pile up among the unrouted."""
PASSING_ARGUMENTS: dict[str, Any] = {"x-queue-type": "classic", "x-max-length": 0}
PASSING: tuple[Binding, ...] = _events(
    MessageCreated,
    MessageChanged,
    MessageReceived,
    ContactUpdated,
    CampaignProgress,
    PresenceChanged,
    SocketTriggered,
    AccessRevoked,
    SessionUpdated,
)

QUEUES: tuple[Queue, ...] = (
    *CHAT_SEND.values(),
    CHAT_STATUSES,
    CHAT_INBOUND,
    CHAT_WORKSPACES,
    CAMPAIGN_OUTCOMES,
    GATEWAY_CHANNELS,
    GATEWAY_AUDIT,
)

LADDERS: tuple[Ladder, ...] = (SESSIONS_LADDER,)
"""Retry ladders that queues share which are declared while Blazz runs."""


def session_queue(session_id: UUID) -> Queue:
    """The queue of one WhatsApp Web session. It is declared when the session is made, before any command is sent."""
    return Queue(
        f"webjs-bridge.session.{session_id}",
        "webjs-bridge",
        (Binding(SESSIONS.name, str(session_id)),),
        single_active_consumer=True,
        ladder=SESSIONS_LADDER,
    )


def of_service(service: str) -> tuple[Queue, ...]:
    """The queues that a service consumes."""
    return tuple(queue for queue in QUEUES if queue.service == service)


def by_name(name: str) -> Queue:
    """The queue of that name. Raises KeyError."""
    return {queue.name: queue for queue in QUEUES}[name]
