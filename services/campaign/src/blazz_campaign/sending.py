"""Sending: each instance takes campaigns that nobody sends, under a lease, and hands them over."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from blazz_chassis import context
from blazz_chassis.database import Database
from blazz_chassis.errors import Unavailable
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher

from blazz_campaign.request import Requests
from blazz_campaign.shipment import Pace, Shipment

log = structlog.get_logger(__name__)

# Seconds after which a campaign gives way when another waits for its place: some batches, so that giving it back and
# taking it again costs little, and a minute is enough for a dozen rounds.
_DUTY = 5.0

# What a shipment would find something to do on: a flight that its sender left, or room (`Pace.wanted`).
_READY = """
state = 'sending' and n_queued > 0 and (lease_until is null or lease_until < now())
and (flight_to is not null or $1::int - n_requested >= least($2::int, n_queued))
"""
# Who has waited longest first: where something moves, somebody was at it. The token fences: who lost its lease finds
# another's in the row, and stops.
_TAKE = f"""
update campaigns set lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $3)
where id in (select id from campaigns where {_READY} order by moved_at, id limit $4 for update skip locked)
returning id, workspace_id, channel_id, content, lease_token
"""  # noqa: S608
_WAITING = f"select count(*) from (select from campaigns where {_READY} limit $3) waiting"  # noqa: S608


class Sending:
    """The campaigns in this instance's hands."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        outbox: Outbox,
        *,
        service: str,
        pace: Pace,
        at_once: int,
        stopping: asyncio.Event,
    ) -> None:
        """`at_once`: campaigns side by side."""
        self._database, self._publisher, self._outbox = database, publisher, outbox
        self._service, self._pace, self._at_once, self._stopping = service, pace, at_once, stopping
        # By the token of their lease: after an outage a campaign may be ours twice, until the old shipment notices.
        self._shipments: dict[UUID, tuple[Shipment, asyncio.Task[None]]] = {}
        self._nudged = asyncio.Event()

    def look(self) -> None:
        """There may be a campaign to send."""
        self._nudged.set()

    def poke(self, campaign_ids: Iterable[UUID]) -> None:
        """Something changed in these campaigns."""
        changed = set(campaign_ids)
        for shipment, _ in self._shipments.values():
            if shipment.campaign_id in changed:
                shipment.poke()

    @property
    def at_work(self) -> int:
        """How many campaigns are in hand."""
        return len(self._shipments)

    async def run(self) -> None:
        """Send until the service stops; batches in hand are finished and marked."""
        stop = asyncio.create_task(self._stopping.wait())
        stop.add_done_callback(lambda _: self._nudged.set())
        try:
            while not self._stopping.is_set():
                self._nudged.clear()
                try:
                    await self._take()
                except Unavailable as error:
                    log.info("sending_waits", error=error.code)
                try:
                    async with asyncio.timeout(self._pace.poll):
                        await self._nudged.wait()
                except TimeoutError:
                    continue
        finally:
            stop.cancel()
            for shipment, _ in self._shipments.values():
                shipment.poke()
            await asyncio.gather(*(task for _, task in self._shipments.values()), return_exceptions=True)

    async def _take(self) -> None:
        free = self._at_once - self.at_work
        room = (self._pace.window, self._pace.worth)
        if free <= 0:
            async with self._database.worker() as connection:
                self._make_way(await connection.fetchval(_WAITING, *room, self._at_once))
            return
        async with self._database.worker() as connection:
            taken = await connection.fetch(_TAKE, *room, self._pace.lease, free)
        for each in taken:
            self._ship(each)

    def _make_way(self, waiting: int) -> None:
        """Have so many campaigns given back, those longest in hand first."""
        latest = asyncio.get_running_loop().time() - _DUTY
        served = sorted((each for each, _ in self._shipments.values() if each.began < latest), key=lambda s: s.began)
        for shipment in served[:waiting]:
            shipment.give_way()

    def _ship(self, taken: Any) -> None:
        campaign_id: UUID = taken["id"]
        requests = Requests(
            campaign_id=campaign_id,
            workspace_id=taken["workspace_id"],
            channel_id=taken["channel_id"],
            content=taken["content"],
            app_id=self._service,
        )
        shipment = Shipment(
            self._database,
            self._publisher,
            self._outbox,
            campaign_id=campaign_id,
            token=taken["lease_token"],
            requests=requests,
            pace=self._pace,
            stopping=self._stopping.is_set,
        )
        token: UUID = taken["lease_token"]
        task = asyncio.create_task(self._run(campaign_id, token, shipment.run), name=f"shipment-{campaign_id}")
        self._shipments[token] = (shipment, task)

    async def _run(self, campaign_id: UUID, token: UUID, run: Callable[[], Any]) -> None:
        log.info("shipment_started", campaign_id=str(campaign_id))
        try:
            with context.correlated(str(campaign_id), campaign_id=str(campaign_id)):
                await run()
        except Exception:
            # Its lease runs out, and it is taken again.
            log.exception("shipment_failed", campaign_id=str(campaign_id))
        finally:
            self._shipments.pop(token, None)
            self._nudged.set()
