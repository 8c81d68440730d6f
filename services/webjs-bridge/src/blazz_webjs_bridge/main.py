"""The composition root of webjs-bridge."""

from importlib.metadata import version

from blazz_chassis.addresses import outside_client
from blazz_chassis.app import Service
from blazz_chassis.http_client import internal_client
from blazz_chassis.owned_queues import OwnedQueues
from blazz_chassis.seal import Sealer
from blazz_contracts.events import (
    AuditRecorded,
    ProviderMessage,
    ProviderSession,
    ProviderStatus,
    SessionUpdated,
)
from blazz_contracts.topology.exchange import SESSIONS_LADDER

from blazz_webjs_bridge import consumers
from blazz_webjs_bridge.api import health, sessions
from blazz_webjs_bridge.browsers import Browsers
from blazz_webjs_bridge.creating import Creating
from blazz_webjs_bridge.enclosures import Enclosures
from blazz_webjs_bridge.finishing import Finishing
from blazz_webjs_bridge.fleet import Fleet
from blazz_webjs_bridge.house import House
from blazz_webjs_bridge.leases import Leases
from blazz_webjs_bridge.profiles import Profiles
from blazz_webjs_bridge.received_files import ReceivedFiles
from blazz_webjs_bridge.registry import Registry
from blazz_webjs_bridge.settings import Settings
from blazz_webjs_bridge.standings import Standings

PUBLISHES = (ProviderMessage, ProviderStatus, ProviderSession, SessionUpdated, AuditRecorded)


def build(settings: Settings) -> Service:
    """Assemble the service."""
    service = Service("webjs-bridge", settings, publishes=PUBLISHES)
    database, outbox = service.database, service.outbox
    sealer = Sealer(settings.seal_key)
    profiles = Profiles(settings.webjs_bridge_profiles)
    browsers = Browsers(settings, profiles)
    chat = internal_client(
        settings.chat_url,
        settings.context_key,
        audience="chat",
        issuer=service.name,
        timeout=settings.webjs_bridge_media_timeout,
    )
    outside = outside_client(timeout=settings.webjs_bridge_media_timeout, local_allowed=not settings.public_hosts_only)
    queues = OwnedQueues(
        settings.amqp_url,
        service.publisher,
        service=service.name,
        ladder=SESSIONS_LADDER,
        hold=settings.queue_hold,
        retry_scale=settings.retry_scale,
    )
    house = House(
        settings=settings,
        database=database,
        outbox=outbox,
        publisher=service.publisher,
        queues=queues,
        standings=Standings(database, outbox, sealer, margin=settings.webjs_bridge_history_margin),
        profiles=profiles,
        enclosures=Enclosures(
            chat,
            outside,
            public_hosts_only=settings.public_hosts_only,
            limit=settings.webjs_bridge_media_timeout,
        ),
        library=ReceivedFiles(chat),
        open_page=browsers.open_page,
    )
    fleet = Fleet(house, Leases(database, instance=settings.instance, lease=settings.webjs_bridge_lease))
    finishing = Finishing(database, chat, queues, profiles, journal_days=settings.webjs_bridge_journal_days)
    registry = Registry(
        database,
        outbox,
        sealer,
        qr_lifetime=settings.webjs_bridge_qr_lifetime,
        most=settings.webjs_bridge_workspace_sessions,
    )
    creating = Creating(registry, finishing)

    consumers.register(service, finishing)
    service.background("fleet", lambda: fleet.run(service.stopping), finishes=True)
    service.background("finishing", finishing.run)
    service.background("purging", finishing.purge)

    app = service.http_app
    app.include_router(sessions.router(registry, creating))
    app.include_router(health.router(settings, fleet, version("blazz-webjs-bridge")))

    async def queues_reached() -> None:
        if fleet.count:
            await queues.probe()

    if settings.webjs_bridge_capacity:
        service.health.checks["browser"] = browsers.check
    service.health.checks["session-queues"] = queues_reached

    async def checked() -> None:
        settings.require("context_key", "database_api_url", "database_worker_url")
        sealer.check()

    service.on_start(checked)
    service.on_stop(queues.stop)
    service.on_stop(browsers.close)
    service.on_stop(chat.aclose)
    service.on_stop(outside.aclose)
    return service
