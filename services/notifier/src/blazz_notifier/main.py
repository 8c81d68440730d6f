"""The composition root of the notifier."""

from blazz_chassis.app import Service
from blazz_chassis.ids import uuid7
from blazz_chassis.instance_queue import InstanceQueue
from blazz_contracts import Event
from blazz_contracts.events import AccessRevoked, PresenceChanged, SocketTriggered

from blazz_notifier.api import channels as channel_routes
from blazz_notifier.api import events as event_routes
from blazz_notifier.bindings import Bindings
from blazz_notifier.client_events import ClientEvents
from blazz_notifier.consumers import Consumers
from blazz_notifier.conversation import Conversation
from blazz_notifier.fanout import Fanout
from blazz_notifier.lease import Lease
from blazz_notifier.occupancy import Occupancy
from blazz_notifier.presence import Presence
from blazz_notifier.registry import Registry
from blazz_notifier.server import WebsocketServer
from blazz_notifier.settings import Settings
from blazz_notifier.strangers import Strangers
from blazz_notifier.subscriptions import Subscriptions
from blazz_notifier.translation import WORKSPACE_EVENTS

PUBLISHES = (PresenceChanged, SocketTriggered)
HEARS: tuple[type[Event], ...] = (*WORKSPACE_EVENTS, PresenceChanged, SocketTriggered, AccessRevoked)
_LEAVING = 3.0  # seconds at the end for taking members off; what is left, others remove when the lease has run out


class Notifier(Service):
    """The service, with what tests and benchmarks reach into."""

    websockets: WebsocketServer
    queue: InstanceQueue
    registry: Registry
    lease: Lease


def build(settings: Settings) -> Notifier:
    """Assemble the service."""
    service = Notifier("notifier", settings, publishes=PUBLISHES, hears=HEARS, title="Blazz notifier")
    instance_id = uuid7()
    database, publisher = service.database, service.publisher

    registry = service.registry = Registry()
    fanout = Fanout(registry)
    queue = service.queue = _instance_queue(settings)
    bindings = Bindings(queue, linger=settings.notifier_linger)
    presence = Presence(
        database,
        publisher,
        registry,
        fanout,
        instance_id=instance_id,
        max_members=settings.notifier_presence_members,
        patience=settings.notifier_bind_timeout,
    )
    strangers = Strangers(
        most=max(1, int(settings.notifier_max_connections * settings.notifier_stranger_share)),
        of_address=settings.notifier_strangers_of_address,
    )
    subscriptions = Subscriptions(settings, registry, bindings, presence, strangers)
    conversation = Conversation(settings, subscriptions, ClientEvents(settings, publisher))
    websockets = service.websockets = WebsocketServer(settings, registry, conversation, subscriptions, strangers)
    consumers = Consumers(registry, fanout, presence, websockets, deaf_seconds=settings.notifier_deaf_seconds)
    consumers.install(queue)
    occupancy = Occupancy(database, registry, instance_id=instance_id)
    service.lease = Lease(
        database,
        presence,
        instance_id=instance_id,
        name=settings.instance,
        seconds=settings.notifier_presence_lease,
        check=settings.notifier_presence_check,
        lapsed=occupancy.forget,
    )

    service.http_app.include_router(event_routes.router(settings, publisher, occupancy))
    service.http_app.include_router(channel_routes.router(settings, occupancy))
    service.background("bindings", bindings.run)
    service.background("occupancy", occupancy.run)
    _live(service, settings, presence)
    return service


def _instance_queue(settings: Settings) -> InstanceQueue:
    return InstanceQueue(
        settings.amqp_url,
        service="notifier",
        instance=settings.instance,
        max_length=settings.notifier_queue_length,
        bind_timeout=settings.notifier_bind_timeout,
        # Of every workspace, for a socket may hold a signature that it has not used yet. There are few of these.
        always=(f"{AccessRevoked.name}.*",),
    )


def _live(service: Notifier, settings: Settings, presence: Presence) -> None:
    """What begins, runs and ends with the service, and what it needs to be ready."""
    queue, websockets, lease = service.queue, service.websockets, service.lease

    async def begin() -> None:
        settings.require("database_worker_url", "pusher_secret")
        await queue.start()

    async def serve_websockets() -> None:
        await websockets.run(service.stopping)
        # Who left must be off the presence channels before the database is closed.
        await presence.settled(within=_LEAVING)

    async def end() -> None:
        await presence.line.close()
        await lease.end()

    async def listening() -> None:
        if not queue.connected:
            raise RuntimeError("the broker is away: no new private subscriptions")

    async def accepting() -> None:
        if websockets.port is None:
            raise RuntimeError(f"cannot listen on port {settings.notifier_ws_port}")

    service.on_start(begin)
    service.background("websockets", serve_websockets, finishes=True)
    service.background("presence-lease", lease.run)
    service.background("presence-comparison", lease.compare)
    service.on_stop(queue.stop)
    service.on_stop(end)
    service.health.checks["listener"] = listening
    service.health.checks["websockets"] = accepting
