"""The composition root of the gateway."""

from dataclasses import dataclass
from datetime import timedelta

from blazz_chassis.app import Service
from blazz_chassis.database import Database
from blazz_chassis.instance_queue import InstanceQueue
from blazz_chassis.seal import Sealer
from blazz_contracts.events import (
    AccessRevoked,
    MessageFailed,
    MessageRequested,
    MessageSent,
    ProviderAccount,
    ProviderMessage,
    ProviderPreference,
    ProviderStatus,
    ProviderTemplate,
    ProviderUnrecognized,
    WebhooksAlive,
    WorkspaceUpdated,
)
from starlette.middleware import Middleware

from blazz_gateway import consumers
from blazz_gateway.acceptance import Acceptance
from blazz_gateway.access import Access
from blazz_gateway.api import audit as audit_routes
from blazz_gateway.api import auth as auth_routes
from blazz_gateway.api import broadcasting as broadcasting_routes
from blazz_gateway.api import handing_on, openapi, passage, refusals
from blazz_gateway.api import invitations as invitation_routes
from blazz_gateway.api import members as member_routes
from blazz_gateway.api import messages as message_routes
from blazz_gateway.api import old_send as old_send_routes
from blazz_gateway.api import old_session as old_session_routes
from blazz_gateway.api import sessions as session_routes
from blazz_gateway.api import tokens as token_routes
from blazz_gateway.api import webhooks as webhook_routes
from blazz_gateway.api import workspace as workspace_routes
from blazz_gateway.api.door import Door
from blazz_gateway.api.shortcut import WebhookShortcut
from blazz_gateway.audit import AuditLog
from blazz_gateway.authentication import Authenticator
from blazz_gateway.channel import Channels
from blazz_gateway.checking import Checker
from blazz_gateway.housekeeping import Housekeeping
from blazz_gateway.joining import Joining
from blazz_gateway.login import Logins
from blazz_gateway.message_status import MessageStatus
from blazz_gateway.sending import Sending
from blazz_gateway.session import Sessions
from blazz_gateway.settings import GatewaySettings
from blazz_gateway.socket import Signer
from blazz_gateway.socket_closing import SocketClosing
from blazz_gateway.upstream import Upstream
from blazz_gateway.waiting import Outcomes
from blazz_gateway.web_session import WebSessions
from blazz_gateway.webhooks.intake import Intake
from blazz_gateway.webhooks.watermark import Watermark

PUBLISHES = (
    MessageRequested,
    ProviderMessage,
    ProviderStatus,
    ProviderAccount,
    ProviderTemplate,
    ProviderPreference,
    ProviderUnrecognized,
    WebhooksAlive,
    WorkspaceUpdated,
    AccessRevoked,
)
MEBIBYTE = 1024 * 1024
BODY_LIMITS = {
    # Meta sends up to 3 MB; a campaign's list of 100,000 rows is about 20 MB; WhatsApp's largest file has 100 MB.
    "/webhooks/": 3 * MEBIBYTE,
    "/api/v1/campaigns": 25 * MEBIBYTE,
    "/api/v1/media": 100 * MEBIBYTE,
}


def sessions_of(settings: GatewaySettings) -> Sessions:
    """What starts and checks sessions."""
    return Sessions(
        settings.context_key,
        access_seconds=settings.gateway_access_seconds,
        lifetime=timedelta(days=settings.gateway_session_days),
    )


@dataclass(frozen=True, slots=True)
class People:
    """Who may do what, and how they get to."""

    door: Door
    access: Access
    logins: Logins
    joining: Joining
    closing: SocketClosing


def build(settings: GatewaySettings) -> Service:
    """Assemble the service."""
    service = Service(
        "gateway",
        settings,
        publishes=PUBLISHES,
        hears=(MessageSent, MessageFailed),
        body_limits=BODY_LIMITS,
        title="Blazz",
        description="Send and receive WhatsApp messages. Guide: docs/api.md.",
    )
    app, database = service.http_app, service.database
    people, audit_log = _people(service, settings), AuditLog(database)
    door, access = people.door, people.access
    chat = Upstream("chat", settings.chat_url, settings.context_key, timeout=settings.gateway_proxy_timeout)
    campaign = Upstream("campaign", settings.campaign_url, settings.context_key, timeout=settings.gateway_proxy_timeout)
    bridge = Upstream(
        passage.BRIDGE, settings.webjs_bridge_url, settings.context_key, timeout=settings.gateway_proxy_timeout
    )
    acceptance = Acceptance(database, service.batcher, lease_seconds=settings.gateway_lease_seconds)
    sending = Sending(acceptance, Checker(chat, timeout=settings.gateway_check_timeout), service.publisher)
    statuses = MessageStatus(chat, acceptance)
    instance_queue = InstanceQueue(settings.amqp_url, service="gateway", instance=settings.instance)
    outcomes = Outcomes(instance_queue)

    app.include_router(auth_routes.router(door, access, people.logins, session_days=settings.gateway_session_days))
    app.include_router(message_routes.router(door, sending, statuses, outcomes, wait_max=settings.gateway_wait_max))
    app.include_router(handing_on.router(door, {"chat": chat, "campaign": campaign, passage.BRIDGE: bridge}))
    channels = _take_webhooks(service, settings, audit_log)
    web_sessions = WebSessions(bridge)
    app.include_router(session_routes.router(door, web_sessions))
    app.include_router(old_session_routes.router(door, web_sessions))
    app.include_router(old_send_routes.router(door, sending, channels))
    app.include_router(token_routes.router(door, access))
    app.include_router(member_routes.router(door, access, people.joining))
    app.include_router(invitation_routes.router(door, people.joining))
    app.include_router(workspace_routes.router(door, access))
    app.include_router(audit_routes.router(door, audit_log))
    app.include_router(broadcasting_routes.router(door, access, Signer(settings.pusher_key, settings.pusher_secret)))
    refusals.install(app)
    openapi.install(app, access_cookie=door.access_cookie)

    async def check_settings() -> None:
        # Checked when it serves, not when its documents are printed: an empty key would sign for everybody.
        settings.require("context_key", "seal_key", "pusher_secret", "database_api_url", "database_worker_url")

    service.on_start(check_settings)
    service.background("housekeeping", _housekeeping(settings, database, people.closing, acceptance).run)
    service.on_start(instance_queue.start)
    service.on_stop(chat.aclose)
    service.on_stop(campaign.aclose)
    service.on_stop(bridge.aclose)
    service.on_stop(instance_queue.stop)
    return service


def _people(service: Service, settings: GatewaySettings) -> People:
    database, outbox, sessions = service.database, service.outbox, sessions_of(settings)
    authenticator = Authenticator(
        database, sessions, cache_seconds=settings.gateway_auth_cache_seconds, user_rate=settings.gateway_user_rate
    )
    closing = SocketClosing(database, outbox, service.publisher, repeat_seconds=settings.gateway_revoked_repeat_seconds)
    logins = Logins(database, sessions, rate_per_minute=settings.gateway_login_rate)
    return People(
        Door(authenticator, production=settings.env == "production", trusted_proxies=settings.trusted_proxies),
        Access(database, outbox, sessions, authenticator, closing, socket_rate=settings.gateway_socket_rate),
        logins,
        Joining(database, logins, authenticator),
        closing,
    )


def _take_webhooks(service: Service, settings: GatewaySettings, audit_log: AuditLog) -> Channels:
    """Verify and split them, hear of the channels they come from, and say up to when they have been taken."""
    channels = Channels(
        service.database, Sealer(settings.seal_key), cache_seconds=settings.gateway_channel_cache_seconds
    )
    watermark = Watermark(settings.gateway_alive_seconds)
    intake = Intake(channels, service.publisher, watermark, audit_log)
    service.http_app.include_router(webhook_routes.router(intake))
    # The last of the list is the innermost.
    service.http_app.user_middleware.append(Middleware(WebhookShortcut, intake=intake))
    consumers.install(service.consumer, channels, audit_log)

    async def tell_alive() -> None:
        """From the moment they are taken in until the stop begins."""
        await service.started.wait()
        await watermark.tell_until(service.stopping, service.publisher, settings.instance)

    service.background("webhooks-alive", tell_alive)
    return channels


def _housekeeping(
    settings: GatewaySettings, database: Database, closing: SocketClosing, acceptance: Acceptance
) -> Housekeeping:
    return Housekeeping(
        database,
        closing,
        acceptance,
        seconds=settings.gateway_housekeeping_seconds,
        kept_hours=settings.gateway_kept_hours,
    )
