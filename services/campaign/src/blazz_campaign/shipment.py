"""One campaign in the hands of one instance: recipients are handed over to chat, batch by batch.

A turn is one short transaction under the campaign's lock: what was handed over is marked, what comes next is put in
flight. Between turns the batch is published and confirmed. Whoever dies in between leaves the flight behind; the next
holder of the lease hands the same recipients over again, under the same message ids, which chat knows. So nobody is
lost and nobody is written to twice, whatever is killed when.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import BlazzError, BrokerUnavailable, Unavailable
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher

from blazz_campaign import recipients, row
from blazz_campaign.request import Requests
from blazz_campaign.row import Campaign
from blazz_campaign.state import FINAL

log = structlog.get_logger(__name__)

_AGAIN = (0.2, 0.5, 1.0, 2.0)  # seconds before a batch that could not be published is tried again
# Seconds without room after which the campaign is given back. A channel that sends has room for half a batch sooner;
# one that does not may stand still for weeks, and shall not cost others a place, nor a transaction at every poll.
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast recipients are handed over."""

    window: int
    """Handed over and not yet accepted or refused, at most."""
    batch: int
    lease: float
    """Seconds."""
    poll: float
    """Seconds."""

    @property
    def worth(self) -> int:
        """Room for so many is worth a turn, if so many are left; small change is not worth a transaction."""
        return max(1, min(self.batch, self.window) // 2)

    def wanted(self, campaign: Campaign) -> int:
        """How many to hand over now; 0: wait until more are accepted."""
        queued = campaign.counts["queued"]
        room = min(self.batch, self.window - campaign.counts["requested"], queued)
        return room if room >= min(self.worth, queued) else 0


@dataclass(slots=True)
class Turn:
    """What one transaction decided."""

    over: bool
    flight: list[Any] = field(default_factory=list)
    flight_to: int | None = None
    at: datetime | None = None


class Shipment:
    """Hands one campaign over for as long as it holds the lease."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        outbox: Outbox,
        *,
        campaign_id: UUID,
        token: UUID,
        requests: Requests,
        pace: Pace,
        stopping: Callable[[], bool],
    ) -> None:
        self._database, self._publisher, self._outbox = database, publisher, outbox
        self.campaign_id, self._token = campaign_id, token
        self._requests, self._pace, self._stopping = requests, pace, stopping
        self.began = asyncio.get_running_loop().time()
        self._gives_way = False
        self._without_room: float | None = None
        """Loop time since which there was nothing to hand over."""
        self._poked = asyncio.Event()
        self._landed: int | None = None
        """Up to where the flight was published, all of it confirmed."""
        self._confirmed: set[UUID] = set()
        """What of the flight was published already, when not all of it could be."""
        self._until = 0.0
        """Loop time up to which the lease is ours for certain."""
        self._failures = 0

    def poke(self) -> None:
        """There may be room, or the state has changed."""
        self._poked.set()

    def give_way(self) -> None:
        """Others wait: give the campaign back after what is in hand."""
        self._gives_way = True
        self._poked.set()

    async def run(self) -> None:
        """Hand over until nothing is queued, the campaign is paused or over, or the lease is lost."""
        while True:
            self._poked.clear()
            try:
                turn = await self._take_turn()
            except Unavailable as error:
                log.warning("shipment_waits", campaign_id=str(self.campaign_id), error=error.code)
                if self._stopping():
                    return  # the lease runs out; whoever takes it next finds the flight where it is
                await self._pause(self._pace.poll)
                continue
            if turn.over:
                return
            now = asyncio.get_running_loop().time()
            if not turn.flight:
                self._without_room = self._without_room or now
                await self._wait_for_room()
                continue
            self._without_room = None
            # A publish may take as long as its time limit, and the lease must outlast it.
            if now < self._until - self._publisher.timeout:
                await self._publish(turn)

    # --- a turn

    async def _take_turn(self) -> Turn:
        began = asyncio.get_running_loop().time()
        landed = self._landed
        turn = await self._database.retrying(self._turn)
        if landed is not None:
            self._landed = None
            self._confirmed.clear()
            reach("campaign.marked")
        if turn.flight:
            reach("campaign.claimed")
        # Counted from before the transaction: the database's clock started later.
        self._until = began + self._pace.lease
        return turn

    async def _turn(self) -> Turn:
        async with self._database.worker() as connection:
            campaign = (await row.lock(connection, [self.campaign_id])).get(self.campaign_id)
            if campaign is None or campaign.lease_token != self._token:
                log.info("shipment_lost", campaign_id=str(self.campaign_id))
                return Turn(over=True)
            if self._landed is not None and campaign.flight_to == self._landed:
                await recipients.land(connection, campaign)
            flight = await self._next(connection, campaign)
            campaign.settle()
            over = not flight and (campaign.state != "sending" or campaign.counts["queued"] == 0 or self._leaves())
            if over:
                campaign.lease_token = None
                if campaign.state in FINAL and campaign.flight_to is not None:
                    campaign.leased = False  # nobody hands over what is in flight any more
                    await recipients.cancel_queued(connection, campaign)
            campaign.lease = self._pace.lease
            receipt = await row.save(connection, self._outbox, [campaign])
        self._outbox.send_soon(receipt)
        return Turn(over, flight, campaign.flight_to, campaign.now)

    async def _next(self, connection: Connection, campaign: Campaign) -> list[Any]:
        """What to publish now: the flight that somebody (or a broker that was away) left, or the next ones."""
        if campaign.state != "sending" or self._stopping():
            return []
        if campaign.flight_to is not None:
            left = await recipients.in_flight(connection, campaign)
            if left:
                return left
            await recipients.land(connection, campaign)
        wanted = 0 if self._gives_way else self._pace.wanted(campaign)
        return await recipients.take_off(connection, campaign, wanted) if wanted else []

    def _leaves(self) -> bool:
        """Whether it goes though there is somebody left to write to."""
        since = self._without_room
        impatient = since is not None and asyncio.get_running_loop().time() - since > _PATIENCE
        return impatient or self._gives_way or self._stopping()

    # --- publishing

    async def _publish(self, turn: Turn) -> None:
        try:
            # Waiting inside of 200 publishes would let the lease run out.
            await self._publisher.probe()
        except BrokerUnavailable as error:
            await self._interrupted(len(turn.flight), error)
            return
        rows = [each for each in turn.flight if each["message_id"] not in self._confirmed]
        messages = [self._requests.of(each, turn.at or datetime.now(UTC)) for each in rows]
        results = await asyncio.gather(*(self._publisher.send(each) for each in messages), return_exceptions=True)
        reach("campaign.published")
        errors = [result for result in results if isinstance(result, BaseException)]
        if not errors:
            self._landed, self._failures = turn.flight_to, 0
            return
        self._confirmed.update(
            each["message_id"]
            for each, result in zip(rows, results, strict=True)
            if not isinstance(result, BaseException)
        )
        await self._interrupted(len(errors), errors[0])

    async def _interrupted(self, left: int, error: BaseException) -> None:
        """Wait before the next turn, which finds the flight where it is."""
        log.warning(
            "shipment_interrupted",
            campaign_id=str(self.campaign_id),
            left=left,
            error=error.code if isinstance(error, BlazzError) else repr(error),
        )
        await self._pause(_AGAIN[min(self._failures, len(_AGAIN) - 1)])
        self._failures += 1

    # --- waiting

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(self._pace.poll):
                await self._poked.wait()
        except TimeoutError:
            return

    async def _pause(self, seconds: float) -> None:
        if not self._stopping():
            await asyncio.sleep(seconds)
