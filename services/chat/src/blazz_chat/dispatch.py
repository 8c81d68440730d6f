"""Dispatch: claimed messages go to their provider; what came of it is committed.

Each channel has two pumps: one for urgent messages, one for the rest, so that a campaign that fills the one never
delays the other. A pump claims as many as it has free places for, sends them side by side, and gives a place back when
the result is committed.
"""

import asyncio
import time
from uuid import UUID

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Database
from blazz_chassis.errors import BlazzError, Unavailable
from blazz_contracts.message import Lane

from blazz_chat.channels import Channel, Channels
from blazz_chat.claims import Claim, Claims
from blazz_chat.door import Door
from blazz_chat.enclosures import Enclosures
from blazz_chat.intake import LANES
from blazz_chat.places import Places
from blazz_chat.providers.protocol import Outcome, Outgoing, Unknown, Unreachable, WhatsAppProvider
from blazz_chat.results import Result

log = structlog.get_logger(__name__)

URGENT = (LANES[Lane.URGENT],)
BULK = (LANES[Lane.HIGH], LANES[Lane.NORMAL], LANES[Lane.CAMPAIGN])
# A pump with nothing to do for this long ends; the next message starts another. Seconds.
_IDLE = 30.0
# Claiming one by one costs a transaction each: a pump waits until this share of its places is free.
_REFILL = 4
# How long to wait before a result is committed again when the database was away. Seconds.
_COMMIT_AGAIN = 0.5
# How long a pump whose claim failed waits. Seconds.
_AFTER_ERROR = 1.0
# A dry bucket is asked again when it has some tokens, not one: a claim is a transaction. Urgent ones wait for one.
# Seconds.
_SIP, _URGENT_SIP = 0.05, 0.01
# Of the connections to the provider, what is kept for uploads, fetches and probes; and of the rest, for urgent sends.
_OTHER_CALLS, _URGENT_PLACES = 8, 0.25


class Pump:
    """Sends what one channel has in some lanes."""

    def __init__(self, dispatch: "Dispatch", channel_id: UUID, lanes: tuple[int, ...]) -> None:
        self._dispatch = dispatch
        self._channel_id = channel_id
        self._lanes = lanes
        self._urgent = lanes == URGENT
        self._places = dispatch.places[lanes]
        self._free = dispatch.in_flight
        self._poke = asyncio.Event()
        self._dry = False
        self._sending: set[asyncio.Task[None]] = set()

    def poke(self) -> None:
        """There may be something to send."""
        self._poke.set()

    async def run(self) -> None:
        """Claim and send until there has been nothing for a while, or this instance stops."""
        stopping = self._dispatch.stopping
        while not stopping.is_set():
            self._poke.clear()
            self._dry = False
            try:
                wait = await self._pump()
            except BlazzError as error:
                log.warning("dispatch_waits", channel_id=str(self._channel_id), error=error.code)
                wait = _AFTER_ERROR
            except Exception:
                log.exception("dispatch_failed", channel_id=str(self._channel_id))
                wait = _AFTER_ERROR
            try:
                async with asyncio.timeout(_IDLE if wait is None else wait):
                    # No news brings tokens: while the bucket is dry, only the end of this instance is listened for.
                    await (stopping if self._dry else self._poke).wait()
            except TimeoutError:
                if wait is None and not self._sending and not self._poke.is_set():
                    return

    async def _pump(self) -> float | None:
        """Claim until nothing is left; returns seconds to wait, or None to wait for a poke."""
        while not self._dispatch.stopping.is_set():
            if self._free < max(1, self._dispatch.in_flight // _REFILL):
                return None  # a finished send pokes
            channel = await self._dispatch.channel(self._channel_id)
            if channel is None or not channel.sends:
                return None
            if not await self._dispatch.door(channel).open():
                return 0.2
            wanted = self._places.take(self._free)
            if not wanted:
                self._places.when_free(self.poke)
                return None
            started = time.monotonic()
            claim = Claim([])
            try:
                claim = await self._dispatch.claims.take(channel, self._lanes, wanted, urgent=self._urgent)
            finally:
                self._places.give_back(wanted - len(claim.messages))
            if claim.messages:
                reach("dispatch.claimed")
            self._free -= len(claim.messages)
            for message in claim.messages:
                task = asyncio.create_task(self._send(channel, message, started))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            if claim.wait is not None:
                self._dry = True
                return max(claim.wait, _URGENT_SIP if self._urgent else _SIP)
            if len(claim.messages) < wanted and not claim.more:
                return None
        return None

    async def _send(self, channel: Channel, message: Outgoing, claimed_at: float) -> None:
        try:
            outcome = await self._dispatch.call(channel, message, claimed_at)
            await self._dispatch.commit(Result(channel, message, outcome))
        except BlazzError as error:
            # This process stops before the result could be stored: the attempt stays unsettled, and a status or the
            # settle time decides.
            log.warning("result_not_stored", message_id=str(message.message_id), error=error.code)
        except Exception:
            log.exception("send_failed", message_id=str(message.message_id))
        finally:
            self._free += 1
            self._places.give_back(1)
            self._poke.set()

    async def drained(self) -> None:
        """Wait for the sends under way."""
        while self._sending:
            await asyncio.wait(set(self._sending))


class Dispatch:
    """All pumps of this instance."""

    def __init__(
        self,
        database: Database,
        *,
        channels: Channels,
        claims: Claims,
        results: Batcher[Result, None],
        providers: dict[str, WhatsAppProvider],
        enclosures: Enclosures,
        in_flight: int,
        connections: int,
        call_limit: float,
        claim_fresh: float,
    ) -> None:
        """In seconds: `call_limit`, what a call to a provider may take; `claim_fresh`, when a claim is given back."""
        self.claims = claims
        at_once = max(2, connections - _OTHER_CALLS)
        urgent = max(1, int(at_once * _URGENT_PLACES))
        self.places = {URGENT: Places(urgent), BULK: Places(at_once - urgent)}
        self.stopping = asyncio.Event()
        self.in_flight = in_flight
        self._database = database
        self._channels = channels
        self._results = results
        self._providers = providers
        self._doors = {name: Door(provider.reachable) for name, provider in providers.items()}
        self._enclosures = enclosures
        self._call_limit = call_limit
        self._claim_fresh = claim_fresh
        self._pumps: dict[tuple[UUID, tuple[int, ...]], tuple[Pump, asyncio.Task[None]]] = {}

    def poke(self, channel_id: UUID, lanes: tuple[int, ...] | None = None) -> None:
        """A channel may have something to send."""
        if self.stopping.is_set():
            return
        for each in (URGENT, BULK) if lanes is None else (lanes,):
            key = (channel_id, each)
            held = self._pumps.get(key)
            if held is None or held[1].done():
                pump = Pump(self, channel_id, each)
                self._pumps[key] = (pump, asyncio.create_task(pump.run(), name=f"pump-{channel_id}"))
            else:
                held[0].poke()

    async def channel(self, channel_id: UUID) -> Channel | None:
        """The channel as it is now."""
        return await self._channels.one(self._database, channel_id)

    def door(self, channel: Channel) -> Door:
        """Whether the channel's provider can be reached."""
        return self._doors[channel.provider]

    @property
    def closed_doors(self) -> dict[str, str]:
        """Providers that cannot be reached, and why."""
        return {name: door.reason for name, door in self._doors.items() if door.reason}

    async def call(self, channel: Channel, message: Outgoing, claimed_at: float) -> Outcome:
        """Hand one message to its provider."""
        provider, door = self._providers[channel.provider], self._doors[channel.provider]
        try:
            enclosed = await self._enclosures.prepare(channel, message, provider)
        except Unavailable as error:
            await asyncio.sleep(_AFTER_ERROR)
            return Unreachable(error.code)  # ours, not the provider's: its door stays open
        if not isinstance(enclosed, Outgoing):
            if isinstance(enclosed, Unreachable):
                door.shut(enclosed.reason)
            return enclosed
        if time.monotonic() - claimed_at > self._claim_fresh or door.reason:
            # Stalled, or the door has shut meanwhile: nothing has left, so the claim is given back.
            return Unreachable("the claim was no longer fresh")
        try:
            async with asyncio.timeout(self._call_limit):
                outcome = await provider.send(channel, enclosed)
        except TimeoutError:
            outcome = Unknown("timeout")
        reach("dispatch.answered")
        if isinstance(outcome, Unreachable):
            door.shut(outcome.reason)
        return outcome

    async def commit(self, result: Result) -> None:
        """Commit what came of it. While the database is away the result is kept: only this process knows it."""
        while True:
            try:
                return await self._results.submit(result)
            except Unavailable:
                if self.stopping.is_set():
                    raise
                await asyncio.sleep(_COMMIT_AGAIN)

    async def stop(self) -> None:
        """Claim nothing more; finish what is under way."""
        self.stopping.set()
        for pump, _ in self._pumps.values():
            pump.poke()
        # Not cancelled: a claim that was cut short may have been committed, and would wait for the settle time.
        await asyncio.gather(*(task for _, task in self._pumps.values()), return_exceptions=True)
        for pump, _ in self._pumps.values():
            await pump.drained()
