"""Every event and command, one file each."""

from blazz_contracts.event import Event
from blazz_contracts.events.access_revoked import AccessRevoked
from blazz_contracts.events.audit_recorded import AuditRecorded
from blazz_contracts.events.campaign_progress import CampaignProgress
from blazz_contracts.events.channel_updated import ChannelUpdated
from blazz_contracts.events.contact_updated import ContactUpdated
from blazz_contracts.events.message_changed import MessageChanged
from blazz_contracts.events.message_created import MessageCreated
from blazz_contracts.events.message_failed import MessageFailed
from blazz_contracts.events.message_received import MessageReceived
from blazz_contracts.events.message_requested import MessageRequested
from blazz_contracts.events.message_sent import MessageSent
from blazz_contracts.events.presence_changed import PresenceChanged
from blazz_contracts.events.provider_account import ProviderAccount
from blazz_contracts.events.provider_message import ProviderMessage
from blazz_contracts.events.provider_preference import ProviderPreference
from blazz_contracts.events.provider_session import ProviderSession
from blazz_contracts.events.provider_status import ProviderStatus
from blazz_contracts.events.provider_template import ProviderTemplate
from blazz_contracts.events.provider_unrecognized import ProviderUnrecognized
from blazz_contracts.events.session_send import SessionSend
from blazz_contracts.events.session_updated import SessionUpdated
from blazz_contracts.events.socket_triggered import SocketTriggered
from blazz_contracts.events.status_updated import StatusUpdated
from blazz_contracts.events.webhooks_alive import WebhooksAlive
from blazz_contracts.events.workspace_updated import WorkspaceUpdated

ALL: tuple[type[Event], ...] = (
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
    SessionSend,
    SessionUpdated,
    SocketTriggered,
    StatusUpdated,
    WebhooksAlive,
    WorkspaceUpdated,
)
BY_NAME: dict[str, type[Event]] = {event.name: event for event in ALL}

__all__ = [
    "ALL",
    "BY_NAME",
    "AccessRevoked",
    "AuditRecorded",
    "CampaignProgress",
    "ChannelUpdated",
    "ContactUpdated",
    "MessageChanged",
    "MessageCreated",
    "MessageFailed",
    "MessageReceived",
    "MessageRequested",
    "MessageSent",
    "PresenceChanged",
    "ProviderAccount",
    "ProviderMessage",
    "ProviderPreference",
    "ProviderSession",
    "ProviderStatus",
    "ProviderTemplate",
    "ProviderUnrecognized",
    "SessionSend",
    "SessionUpdated",
    "SocketTriggered",
    "StatusUpdated",
    "WebhooksAlive",
    "WorkspaceUpdated",
]
