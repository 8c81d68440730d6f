"""The composition root of chat."""

from blazz_chassis import http_client
from blazz_chassis.app import Service
from blazz_chassis.seal import Sealer
from blazz_contracts.events import (
    AuditRecorded,
    ChannelUpdated,
    ContactUpdated,
    MessageChanged,
    MessageCreated,
    MessageFailed,
    MessageReceived,
    MessageSent,
    SessionSend,
    StatusUpdated,
)

from blazz_chat import consumers, web
from blazz_chat.abandoning import Abandoning
from blazz_chat.api import channels as channel_routes
from blazz_chat.api import contacts as contact_routes
from blazz_chat.api import media as media_routes
from blazz_chat.api import messages as message_routes
from blazz_chat.api import templates as template_routes
from blazz_chat.channels import Channels
from blazz_chat.claims import Claims
from blazz_chat.contacts import Contacts
from blazz_chat.dispatch import Dispatch
from blazz_chat.enclosures import Enclosures
from blazz_chat.fetching import Fetching
from blazz_chat.inbound import Inbound
from blazz_chat.intake import Intake
from blazz_chat.lifecycle import Retries
from blazz_chat.media import LARGEST, Library, open_store
from blazz_chat.notices import Notices
from blazz_chat.providers.cloud_api import CloudApi
from blazz_chat.providers.meta_templates import MetaTemplates
from blazz_chat.providers.numbers import Numbers
from blazz_chat.providers.webjs import WebSessions
from blazz_chat.reclaiming import Reclaiming
from blazz_chat.registry import Registry
from blazz_chat.results import Results
from blazz_chat.rounds import Rounds
from blazz_chat.sessions import Sessions
from blazz_chat.settings import Settings
from blazz_chat.settling import Settling
from blazz_chat.statuses import Statuses
from blazz_chat.template_book import TemplateBook
from blazz_chat.templates import Templates
from blazz_chat.workspaces import Workspaces

PUBLISHES = (
    MessageCreated,
    MessageSent,
    MessageFailed,
    StatusUpdated,
    MessageReceived,
    MessageChanged,
    ContactUpdated,
    ChannelUpdated,
    AuditRecorded,
    SessionSend,
)
# Claims are given back when stale, calls are cut at their limit; what is left of the lease is for a slow machine.
_LEASE_MARGIN = 1.0


def build(settings: Settings) -> Service:
    """Assemble the service."""
    service = Service("chat", settings, publishes=PUBLISHES, body_limits={"/internal/media": LARGEST + 1})
    database, outbox = service.database, service.outbox
    sealer = Sealer(settings.seal_key)
    channels = Channels(sealer)
    retries = Retries(
        settings.chat_retry_waits, settings.chat_pair_base, settings.chat_tomorrow, settings.chat_hold_back
    )
    # Made when the loop runs: its connector belongs to it.
    graph = http_client.client(timeout=settings.chat_provider_timeout, connections=settings.chat_provider_connections)
    library = Library(lambda: open_store(path=settings.chat_media_path, url=settings.chat_media_url), database)
    cloud_api = CloudApi(
        graph,
        graph_url=settings.chat_graph_url,
        version=settings.chat_graph_version,
        timeout=settings.chat_provider_timeout,
    )
    numbers = Numbers(graph, graph_url=settings.chat_graph_url, version=settings.chat_graph_version)
    templates = Templates()
    meta_templates = MetaTemplates(graph, graph_url=settings.chat_graph_url, version=settings.chat_graph_version)
    book = TemplateBook(database, outbox, channels, meta_templates, templates)
    statuses = Statuses(database, outbox, channels, retries)
    notices = Notices(database)
    dispatch = Dispatch(
        database,
        channels=channels,
        claims=Claims(
            database,
            lease=settings.chat_claim_fresh + settings.chat_provider_timeout + _LEASE_MARGIN,
            hold_back=settings.chat_hold_back,
            window=settings.chat_session_window,
        ),
        results=service.batcher(
            Results(database, outbox, channels, retries).commit,
            name="results",
            max_items=settings.chat_batch_items,
            max_wait=settings.chat_batch_wait,
        ),
        providers={
            "meta": cloud_api,
            web.PROVIDER: WebSessions(
                service.publisher, expire=settings.chat_session_expire, missing=settings.chat_session_missing
            ),
        },
        enclosures=Enclosures(database, library, patience=settings.chat_claim_fresh),
        in_flight=settings.chat_in_flight,
        connections=settings.chat_provider_connections,
        call_limit=settings.chat_provider_timeout,
        claim_fresh=settings.chat_claim_fresh,
    )
    fetching = Fetching(
        database,
        library,
        channels,
        graph,
        graph=f"{settings.chat_graph_url.rstrip('/')}/{settings.chat_graph_version}",
        public_hosts_only=settings.public_hosts_only,
    )
    rounds = Rounds(
        service,
        settings,
        dispatch,
        Settling(database, outbox, settle=settings.chat_settle, gateway_gone=settings.chat_gateway_gone),
        Reclaiming(database, outbox, settle=settings.chat_settle, ask_again=settings.chat_session_ask_again),
        Abandoning(database, outbox, expire=settings.chat_session_expire),
        fetching,
        statuses,
        notices,
    )

    consumers.requests(service, settings, Intake(database, outbox, channels, templates), dispatch)
    consumers.provider_facts(
        service,
        settings,
        statuses=statuses,
        inbound=Inbound(database, outbox),
        notices=notices,
        book=book,
        sessions=Sessions(database, outbox, channels, sealer),
        dispatch=dispatch,
        fetch=rounds.fetch_soon,
    )
    consumers.workspaces(service, Workspaces(database))

    app = service.http_app
    app.include_router(message_routes.router(database, templates))
    app.include_router(contact_routes.router(Contacts(database, outbox)))
    app.include_router(
        channel_routes.router(Registry(database, outbox, sealer, channels, numbers), notices, dispatch.poke)
    )
    app.include_router(template_routes.router(book))
    app.include_router(media_routes.router(library))

    async def checked() -> None:
        settings.require("context_key", "database_api_url", "database_worker_url")
        sealer.check()

    service.on_start(checked)
    rounds.start()
    service.on_stop(graph.aclose)
    return service
