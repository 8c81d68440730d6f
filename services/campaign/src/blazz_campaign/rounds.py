"""What campaign looks after again and again. Every instance does all of it; rows are locked, so none is done twice."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from blazz_chassis.app import Service
from blazz_chassis.errors import Unavailable

from blazz_campaign.freezing import Freezing
from blazz_campaign.settings import Settings
from blazz_campaign.telling import Telling
from blazz_campaign.tending import Tending

log = structlog.get_logger(__name__)

_TEND_EVERY = 10.0
_PURGE_EVERY = 3600.0


def start(service: Service, settings: Settings, telling: Telling, tending: Tending, freezing: Freezing) -> None:
    """Add the rounds to the service."""

    def add(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        service.background(name, lambda: _every(seconds, work))

    # Twice as often as it may tell, so that a second does not become two.
    add("telling", settings.campaign_progress / 2, telling.run_once)
    add("stopped channels", min(_TEND_EVERY, settings.campaign_stall), tending.pause_stopped)
    add("adrift", min(_TEND_EVERY, settings.campaign_lease), tending.land_adrift)
    add("lists given up", _TEND_EVERY, freezing.give_up)
    add("jobs that are over", _PURGE_EVERY, freezing.purge)


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await work()
        except Unavailable as error:
            log.info("round_waits", error=error.code)
        await asyncio.sleep(seconds)
