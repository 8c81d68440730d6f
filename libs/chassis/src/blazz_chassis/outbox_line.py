"""The outbox's line: receipts are published in the order in which they were handed in, many at once.

One task publishes what stands in front as one group, and only then the next: what a later transaction tells never goes
out before what an earlier one of this process told. While the broker is away the line stands still, and goes on in its
order. It is bounded: what does not fit into memory is read from its rows when its turn comes.
"""

import asyncio
import contextvars
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Database
from blazz_chassis.errors import BrokerUnavailable, Unavailable
from blazz_chassis.outgoing import Outgoing
from blazz_chassis.publisher import Publisher

log = structlog.get_logger(__name__)

_GROUP = 500  # messages published at once: as many as may wait for a confirm
_GROUP_BYTES = 8_000_000
_IN_MEMORY = 32_000_000  # bytes of messages in line; one with 500 items has some 150,000
_OVERHEAD = 1000  # bytes a message takes beside its body
_LONGEST = 100_000  # receipts in line (their tokens take 30 MB); beyond, rows wait for the relay
_LOOK = 0.1  # seconds between two looks whether the broker is back; the publisher needs as long at least
_GRACE = 1.0  # seconds without the broker in which nobody is told yet: connections break and come back
_TRIES = 2  # publishes of a message that the broker refuses (its queue is full); then it is the relay's

# By the token, too: a row whose lease ran out may be a relay's by now.
_DELETE = """
delete from outbox o using unnest($1::uuid[], $2::uuid[]) sent (id, token)
where o.id = sent.id and o.lease_token = sent.token
"""
_RENEW = """
update outbox o set lease_until = now() + $2 * interval '1 second' from unnest($1::uuid[]) ours (token)
where o.lease_token = ours.token
"""
# By their range of ids: there is no index on tokens, which are asked for in emergencies only.
_READ = """
select id, lease_token, exchange, routing_key, mandatory, type, body, headers,
       extract(epoch from created_at)::float8 as created
from outbox where id between $2 and $3 and lease_token = any($1::uuid[]) order by id
"""


@dataclass(slots=True, eq=False)
class _Place:
    """One receipt in line."""

    token: UUID
    number: int
    """Of its messages."""
    size: int
    first: UUID
    last: UUID
    """Ids of its rows, which grow."""
    leased_at: float
    """Loop time."""
    told: "asyncio.Future[None]"
    """Done when it is through, or cannot be now."""
    messages: tuple[Outgoing, ...] | None
    """None: too much to keep, to be read when it is their turn."""
    kept: bool
    """Whether they count as kept in memory."""
    tries: int = 0


class Line:
    """The line of one process."""

    def __init__(self, database: Database, publisher: Publisher, *, service: str, lease: float) -> None:
        """`lease`: seconds for which `Outbox.add` leases the rows."""
        self._database, self._publisher, self._service, self._lease = database, publisher, service, lease
        self._places: deque[_Place] = deque()
        self._in_memory = 0
        self._sending: asyncio.Task[None] | None = None
        self._deleting: asyncio.Task[None] | None = None
        self._away_since: float | None = None
        self._stuck = asyncio.Event()

    def join(self, token: UUID, messages: tuple[Outgoing, ...]) -> "asyncio.Future[None]":
        """Stand in line. The future is done when it is through, or when that will take long; it never fails."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()
        if self.standing_still or len(self._places) >= _LONGEST:
            told.set_result(None)
        if len(self._places) >= _LONGEST:
            log.warning("outbox_left_to_relay", messages=len(messages), reason="line_too_long")
            return told
        size = sum(len(message.body) + _OVERHEAD for message in messages)
        kept = self._in_memory + size <= _IN_MEMORY
        self._places.append(
            _Place(
                token=token,
                number=len(messages),
                size=size,
                first=UUID(messages[0].message_id),
                last=UUID(messages[-1].message_id),
                leased_at=loop.time(),
                told=told,
                messages=messages if kept else None,
                kept=kept,
            )
        )
        if kept:
            self._in_memory += size
        if self._sending is None:
            # A context of its own: the line belongs to no single request.
            self._sending = loop.create_task(self._send_all(), name="outbox-line", context=contextvars.Context())
        return told

    def __len__(self) -> int:
        return len(self._places)

    @property
    def standing_still(self) -> bool:
        """Whether the broker (or, after a long wait, the database) is away and somebody stands in line."""
        return self._stuck.is_set()

    async def flush(self) -> None:
        """Wait until all are through. When the line stands still, it is given up, and the relay sends the rows."""
        while self._sending is not None:
            stuck = asyncio.create_task(self._stuck.wait())
            await asyncio.wait({self._sending, stuck}, return_when=asyncio.FIRST_COMPLETED)
            stuck.cancel()
            if self.standing_still and self._sending is not None:
                self._sending.cancel()
                await asyncio.wait({self._sending})
        if self._deleting is not None:
            await asyncio.wait({self._deleting})

    # --- the task

    async def _send_all(self) -> None:
        try:
            while self._places or self._deleting is not None:
                if not self._places:
                    await self._deleted()
                    continue
                try:
                    await self._send_group()
                except Unavailable as error:
                    self._stand_still(error)
                    await asyncio.sleep(_LOOK)
        except Exception:
            log.exception("outbox_line_failed")
        finally:
            if self._places:
                log.warning("outbox_left_to_relay", receipts=len(self._places))
            for place in self._places:
                _tell(place)
            self._places.clear()
            self._in_memory, self._away_since, self._sending = 0, None, None
            self._stuck.clear()

    def _stand_still(self, error: Unavailable) -> None:
        now = asyncio.get_running_loop().time()
        if self._away_since is None:
            self._away_since = now
            log.info("outbox_line_waits", reason=error.code, receipts=len(self._places))
        if now - self._away_since >= _GRACE:
            self._stuck.set()
            for place in self._places:
                _tell(place)

    async def _send_group(self) -> None:
        await self._publisher.probe()
        await self._keep_leases()
        group = await self._front()
        results = iter(
            await self._publisher.send_each([message for place in group for message in place.messages or ()])
        )
        reach("outbox.after_publish")
        sent: list[tuple[UUID, UUID]] = []
        through: list[_Place] = []
        left: list[_Place] = []
        away: BrokerUnavailable | None = None
        for place in group:
            self._places.popleft()
            again: list[Outgoing] = []
            place.tries += 1
            for message, result in zip(place.messages or (), results, strict=False):
                if result is None:
                    sent.append((UUID(message.message_id), place.token))
                elif isinstance(result, BrokerUnavailable) and (_timed_out(result) or place.tries < _TRIES):
                    again.append(message)
                    away = result
                else:
                    log.warning(
                        "outbox_send_left_to_relay",
                        type=message.type,
                        message_id=message.message_id,
                        error=repr(result),
                    )
            place.messages = tuple(again)
            (left if again else through).append(place)
        self._places.extendleft(reversed(left))
        self._in_memory -= sum(place.size for place in through if place.kept)
        await self._deleted()
        self._deleting = asyncio.create_task(self._delete(sent, through), name="outbox-delete")
        if away is not None:
            raise away
        self._away_since = None
        self._stuck.clear()

    async def _keep_leases(self) -> None:
        """After a wait: the rows are ours still, before a relay takes some and sends them out of their order."""
        now = asyncio.get_running_loop().time()
        if not self.standing_still and now - self._places[0].leased_at < self._lease / 2:
            return
        async with self._database.worker() as connection:
            await connection.execute(_RENEW, [place.token for place in self._places], self._lease)
        for place in self._places:
            place.leased_at = now

    async def _front(self) -> list[_Place]:
        """Those whose turn it is, with their messages."""
        group: list[_Place] = []
        number = size = 0
        for place in self._places:
            number, size = number + place.number, size + place.size
            if group and (number > _GROUP or size > _GROUP_BYTES):
                break
            group.append(place)
        unread = {place.token: place for place in group if place.messages is None}
        if unread:
            found: dict[UUID, list[Outgoing]] = defaultdict(list)
            async with self._database.worker() as connection:
                first, last = min(each.first for each in unread.values()), max(each.last for each in unread.values())
                for row in await connection.fetch(_READ, list(unread), first, last):
                    found[row["lease_token"]].append(restored(row, self._service))
            for token, place in unread.items():
                place.messages = tuple(found[token])
        return group

    async def _deleted(self) -> None:
        if self._deleting is not None:
            await self._deleting
            self._deleting = None

    async def _delete(self, sent: list[tuple[UUID, UUID]], through: list[_Place]) -> None:
        try:
            if sent:
                async with self._database.worker() as connection:
                    await connection.execute(_DELETE, [each for each, _ in sent], [token for _, token in sent])
        except Exception as error:
            # Sent and not deleted: the relay sends it again, with the same id.
            log.warning("outbox_delete_left_to_relay", error=repr(error))
        finally:
            for place in through:
                _tell(place)


def restored(row: Any, service: str) -> Outgoing:
    """The message that a row of the outbox holds."""
    headers = dict(row["headers"])
    correlation = headers.pop("correlation-id", "")
    return Outgoing(
        exchange=row["exchange"],
        routing_key=row["routing_key"],
        mandatory=row["mandatory"],
        type=row["type"],
        body=row["body"],
        message_id=str(row["id"]),
        correlation_id=correlation,
        app_id=service,
        headers=headers,
        timestamp=row["created"],
    )


def _tell(place: _Place) -> None:
    if not place.told.done():
        place.told.set_result(None)


def _timed_out(error: BrokerUnavailable) -> bool:
    """Whether nothing was heard of it, in contrast to a refusal."""
    return isinstance(error.__cause__, TimeoutError)
