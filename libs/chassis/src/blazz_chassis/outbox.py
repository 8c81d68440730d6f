"""Transactional outbox: an event is written with the change it tells of, and is published whatever happens after.

The row is born leased to its writer, who publishes right after the commit and deletes it: one statement to write and
one to delete, for one event or a thousand, and no wait for a relay. Rows whose lease is over belong to nobody any more
(their writer died, or the broker was away): the relay of any instance takes them.
What one process commits, it tells in the order in which it commits (`outbox_line`); not across a crash.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from blazz_contracts import Event
from blazz_contracts.topology import Address

from blazz_chassis import metrics, outgoing
from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import DependencyDown
from blazz_chassis.ids import uuid7
from blazz_chassis.outbox_line import Line, restored
from blazz_chassis.outgoing import Outgoing
from blazz_chassis.publisher import Publisher

log = structlog.get_logger(__name__)

_BATCH = 100  # rows the relay takes at once

_INSERT = """
insert into outbox (id, workspace_id, exchange, routing_key, mandatory, type, version, body, headers,
                    lease_until, lease_token)
select r.*, now() + $10 * interval '1 second', $11
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::smallint[], $8::bytea[],
            $9::jsonb[]) as r
"""
_DELETE = "delete from outbox where id = any($1::uuid[]) and lease_token = $2"
_TAKE = """
update outbox set lease_until = now() + $2 * interval '1 second', lease_token = $3
where id in (select id from outbox where lease_until < now() order by id limit $1 for update skip locked)
returning id, exchange, routing_key, mandatory, type, body, headers, extract(epoch from created_at)::float8 as created
"""
# The first by its key, which grows with time: there is no index on `created_at`, and this is asked at every poll.
_OLDEST = """
select coalesce((select extract(epoch from now() - created_at) from outbox order by id limit 1), 0)::float8
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `add` wrote and `send` is to publish; worth something only after the commit."""

    token: UUID
    messages: tuple[Outgoing, ...]


class Outbox:
    """The outbox of one service's database."""

    def __init__(
        self, database: Database, publisher: Publisher, *, service: str, lease: float = 30.0, poll: float = 1.0
    ) -> None:
        """`lease` and `poll` are in seconds; the lease must outlast a publish's time limit by far."""
        self._database, self._publisher = database, publisher
        self._service, self._lease, self._poll = service, lease, poll
        self._line = Line(database, publisher, service=service, lease=lease)
        self._nudged = asyncio.Event()
        self.alive_at = 0.0
        self.failure: str | None = None

    async def add(self, connection: Connection, events: Sequence[Event | tuple[Event, Address]]) -> Receipt:
        """Write the events in the caller's transaction, in one statement. Hand the receipt to `send` after the commit.

        Message ids are given here and stay the same however often a message is sent. Raises `MessageTooLarge`.
        """
        messages = tuple(
            outgoing.of(event[0], app_id=self._service, to=event[1])
            if isinstance(event, tuple)
            else outgoing.of(event, app_id=self._service)
            for event in events
        )
        for message in messages:
            # Here, where it can be refused: a row that is never taken would be tried again for ever.
            self._publisher.check_size(message)
        receipt = Receipt(uuid7(), messages)
        if messages:
            await connection.execute(
                _INSERT,
                [UUID(message.message_id) for message in messages],
                [UUID(str(message.headers[outgoing.WORKSPACE_ID])) for message in messages],
                [message.exchange for message in messages],
                [message.routing_key for message in messages],
                [message.mandatory for message in messages],
                [message.type for message in messages],
                [message.headers[outgoing.SCHEMA_VERSION] for message in messages],
                [message.body for message in messages],
                [{**message.headers, "correlation-id": message.correlation_id} for message in messages],
                self._lease,
                receipt.token,
            )
        return receipt

    async def send(self, *receipts: Receipt) -> None:
        """Publish what was committed and delete it, after what was committed before.

        Never raises, and waits no longer than a publish may take, when broker or database are away: the rows are there
        to be sent.
        """
        told = [self._line.join(each.token, each.messages) for each in receipts if each.messages]
        if told:
            await asyncio.wait(told, timeout=self._publisher.timeout)

    def send_soon(self, receipt: Receipt) -> None:
        """Publish and delete in the background, so that the caller need not wait; in the order of the calls."""
        if receipt.messages:
            self._line.join(receipt.token, receipt.messages)

    @property
    def standing_still(self) -> bool:
        """Whether what was committed waits for a broker that is away."""
        return self._line.standing_still

    def nudge(self) -> None:
        """Let the relay look now."""
        self._nudged.set()

    async def flush(self) -> None:
        """Wait until everything given to `send_soon` is through; without a broker it is left to the relay."""
        await self._line.flush()

    async def relay(self) -> None:
        """Send what others left, for ever; the service runs it in the background."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                more = await self.relay_once()
                self.alive_at, self.failure = loop.time(), None
            except DependencyDown as error:
                more, self.failure = 0, error.code
                log.info("relay_waits", reason=error.code)
            except Exception as error:
                more, self.failure = 0, repr(error)
                log.exception("relay_failed")
            if more < _BATCH:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll * random.uniform(0.8, 1.2)):  # noqa: S311
                        await self._nudged.wait()
                self._nudged.clear()

    async def relay_once(self) -> int:
        """Take the rows whose lease is over, publish and delete them; return how many were taken."""
        await self._publisher.probe()
        if self._line.standing_still:
            return 0  # the broker is just back: what stands in line renews its leases first
        token = uuid7()
        async with self._database.worker() as connection:
            metrics.outbox_oldest_seconds.set(await connection.fetchval(_OLDEST))
            rows: list[Any] = await connection.fetch(_TAKE, _BATCH, self._lease, token)
        if not rows:
            return 0
        rows.sort(key=lambda row: row["id"])
        results = await self._publisher.send_each([restored(row, self._service) for row in rows])
        reach("relay.after_publish")
        sent = [row["id"] for row, result in zip(rows, results, strict=True) if result is None]
        left = [row["id"] for row, result in zip(rows, results, strict=True) if result is not None]
        async with self._database.worker() as connection:
            await connection.execute(_DELETE, sent, token)
        metrics.outbox_relayed.inc(len(sent))
        if left:
            # Their lease stays, which spaces the attempts.
            log.warning(
                "relay_left",
                rows=len(left),
                error=next(repr(each) for each in results if each is not None),
            )
        log.info("relay_sent", rows=len(sent))
        return len(rows)
