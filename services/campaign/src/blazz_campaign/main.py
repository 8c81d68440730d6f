"""The composition root of campaign."""

from blazz_chassis.app import Service
from blazz_chassis.http_client import internal_client
from blazz_chassis.jobs import Jobs
from blazz_contracts.events import AuditRecorded, CampaignProgress, MessageRequested

from blazz_campaign import consumers, freezing, rounds
from blazz_campaign.api import campaigns
from blazz_campaign.channels import Channels
from blazz_campaign.control import Control
from blazz_campaign.creating import Creating
from blazz_campaign.freezing import Freezing
from blazz_campaign.outcomes import Outcomes
from blazz_campaign.sending import Sending
from blazz_campaign.settings import Settings
from blazz_campaign.shipment import Pace
from blazz_campaign.telling import Telling
from blazz_campaign.tending import Tending

PUBLISHES = (MessageRequested, CampaignProgress, AuditRecorded)
# 100,000 recipients with some variables are 10 to 20 MB; a CSV of 20 million characters is more once it is escaped.
_LARGEST_LIST = 64_000_000


def build(settings: Settings) -> Service:
    """Assemble the service."""
    service = Service("campaign", settings, publishes=PUBLISHES, body_limits={"/internal/campaigns": _LARGEST_LIST})
    database, outbox = service.database, service.outbox
    chat = internal_client(
        settings.chat_url,
        settings.context_key,
        audience="chat",
        issuer="campaign",
        timeout=settings.campaign_chat_timeout,
    )
    channels = Channels(chat)
    sending = Sending(
        database,
        service.publisher,
        outbox,
        service=service.name,
        pace=Pace(
            window=settings.campaign_window,
            batch=settings.campaign_batch,
            lease=settings.campaign_lease,
            poll=settings.campaign_poll,
        ),
        at_once=settings.campaign_at_once,
        stopping=service.stopping,
    )
    jobs = Jobs(database, concurrency=settings.campaign_jobs)
    freeze = Freezing(database, outbox, sending.look, page=settings.campaign_page, most=settings.campaign_recipients)
    jobs.kind(freezing.KIND)(freeze.run)

    consumers.register(service, settings, Outcomes(database, outbox, sending.poke))
    service.background("jobs", jobs.run)
    service.background("sending", sending.run, finishes=True)
    rounds.start(
        service,
        settings,
        Telling(database, outbox, every=settings.campaign_progress),
        Tending(database, outbox, channels, stall=settings.campaign_stall),
        freeze,
    )
    service.http_app.include_router(
        campaigns.router(
            database,
            Creating(database, outbox, jobs, channels),
            Control(database, outbox, channels, sending.look),
        )
    )

    async def checked() -> None:
        settings.require("context_key", "database_api_url", "database_worker_url")

    service.on_start(checked)
    service.on_stop(chat.aclose)
    return service
