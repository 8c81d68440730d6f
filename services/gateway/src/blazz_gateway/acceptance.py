"""Requests to send that were accepted: each Idempotency-Key once, each limit kept, many requests in one transaction.

A row is born `reserved` (its key is taken, its message id chosen, a lease running) or, without a key, `accepted` at
once: nobody can know its id before the answer. A retry finds the row: `accepted` is answered again, a running lease is
in flight, one that is over is taken up with the same message id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.batcher import Batcher
from blazz_chassis.database import Connection, Database

from blazz_gateway import rate
from blazz_gateway.errors import KeyInFlight, KeyReused, RateLimited
from blazz_gateway.rate import Decision

_INSERT = """
insert into accepted (id, workspace_id, idempotency_key, request_hash, state, lease_until, answer, created_at)
select n.id, n.workspace_id, n.key, n.hash, case when n.key is null then 'accepted' else 'reserved' end,
       case when n.key is null then null else now() + $7 * interval '1 second' end, n.answer, n.created_at
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::jsonb[], $6::timestamptz[])
     as n (id, workspace_id, key, hash, answer, created_at)
on conflict (workspace_id, idempotency_key) where idempotency_key is not null do nothing
returning id
"""
_FIND = """
select a.id, a.workspace_id, a.idempotency_key, a.request_hash, a.state, a.answer,
       a.lease_until > clock_timestamp() as held
from accepted a join unnest($1::uuid[], $2::text[]) as n (workspace_id, key)
  on a.workspace_id = n.workspace_id and a.idempotency_key = n.key
order by a.workspace_id, a.idempotency_key for update of a
"""
_TAKE_UP = "update accepted set lease_until = now() + $2 * interval '1 second' where id = any($1::uuid[])"
_DELETE = "delete from accepted where id = any($1::uuid[])"
# Without a key it is `accepted` from the start, and nobody else's.
_DELETE_ONE = """
delete from accepted where workspace_id = $1 and id = $2 and (state = 'reserved' or idempotency_key is null)
"""
_CONFIRM = """
update accepted a set state = 'accepted', lease_until = null, answer = n.answer
from unnest($1::uuid[], $2::jsonb[]) as n (id, answer) where a.id = n.id
"""
_LET_GO = "update accepted set lease_until = now() where workspace_id = $1 and id = $2 and state = 'reserved'"
_ANSWER = "select answer from accepted where workspace_id = $1 and id = $2 and state = 'accepted'"
_FORGET = """
delete from accepted where id in
  (select id from accepted where created_at < now() - $1 * interval '1 hour' order by created_at limit 5000)
"""

Answer = dict[str, Any]
"""A message as `MessageView` has it, in JSON's types."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that asks to be accepted."""

    message_id: UUID
    workspace_id: UUID
    key: str | None
    request_hash: bytes | None
    """Of the request; only with a key."""
    answer: Answer
    created_at: datetime
    rate_subject: str | None
    rate_limit: int | None
    """Both or neither."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Go on with this message id. `answer` is the first request's when this one takes it up again."""

    message_id: UUID
    answer: Answer
    rate: Decision | None = None
    fresh: bool = True
    """This request reserved it. Else an earlier one did, which may have published it before it ended."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """It was accepted before; this was the answer."""

    answer: Answer


Outcome = Admitted | Replayed


class Acceptance:
    """Accepts requests, in micro-batches that span workspaces (the worker's role)."""

    def __init__(self, database: Database, batcher: Callable[..., Batcher[Any, Any]], *, lease_seconds: float) -> None:
        """`batcher` makes batchers that the service flushes before it stops."""
        self._database, self._lease = database, lease_seconds
        # No wait: a flush under way is the wait in which a batch gathers.
        self._admissions: Batcher[Wish, Outcome] = batcher(
            self._admit_all, name="admit", max_items=200, max_wait=0, weigh=lambda wish: _weight(wish.answer)
        )
        self._confirmations: Batcher[tuple[UUID, Answer], None] = batcher(
            self._confirm_all, name="confirm", max_items=200, max_wait=0, weigh=lambda kept: _weight(kept[1])
        )

    async def admit(self, wish: Wish) -> Outcome:
        """Reserve. Raises `KeyReused`, `KeyInFlight`, `RateLimited`, `DatabaseUnavailable`."""
        return await self._admissions.submit(wish)

    async def confirm(self, message_id: UUID, answer: Answer) -> None:
        """Keep the answer under its key: the message was published."""
        await self._confirmations.submit((message_id, answer))

    async def let_go(self, workspace_id: UUID, message_id: UUID) -> None:
        """End the lease: it was not published, and a retry need not wait."""
        async with self._database.api(workspace_id) as connection:
            await connection.execute(_LET_GO, workspace_id, message_id)

    async def withdraw(self, workspace_id: UUID, message_id: UUID) -> None:
        """Forget a fresh request: it was refused, and nothing of it stays. What was accepted meanwhile stays."""
        async with self._database.api(workspace_id) as connection:
            await connection.execute(_DELETE_ONE, workspace_id, message_id)

    async def answer(self, workspace_id: UUID, message_id: UUID) -> Answer | None:
        """What was answered to an accepted request of this workspace."""
        async with self._database.api(workspace_id) as connection:
            found: Answer | None = await connection.fetchval(_ANSWER, workspace_id, message_id)
            return found

    async def forget(self, hours: float) -> bool:
        """Delete some of what is older; True when there may be more."""
        async with self._database.worker() as connection:
            return str(await connection.execute(_FORGET, hours)) == "DELETE 5000"

    async def _confirm_all(self, items: list[tuple[UUID, Answer]]) -> Sequence[None]:
        async def transaction() -> None:
            async with self._database.worker() as connection:
                await connection.execute(_CONFIRM, [each[0] for each in items], [each[1] for each in items])

        await self._database.retrying(transaction)
        return [None] * len(items)

    async def _admit_all(self, wishes: list[Wish]) -> Sequence[Outcome | BaseException]:
        async def transaction() -> dict[UUID, Outcome | BaseException]:
            async with self._database.worker() as connection:
                return await self._admit(connection, wishes)

        outcomes = await self._database.retrying(transaction)
        return [outcomes[wish.message_id] for wish in wishes]

    async def _admit(self, connection: Connection, wishes: list[Wish]) -> dict[UUID, Outcome | BaseException]:
        # Every transaction takes keys in this order first and rate rows then: two instances never wait for each other.
        ordered = sorted(wishes, key=lambda wish: (wish.workspace_id, wish.key or ""))
        rows = await connection.fetch(
            _INSERT,
            [wish.message_id for wish in ordered],
            [wish.workspace_id for wish in ordered],
            [wish.key for wish in ordered],
            [wish.request_hash for wish in ordered],
            [wish.answer for wish in ordered],
            [wish.created_at for wish in ordered],
            self._lease,
        )
        fresh = {row["id"] for row in rows}
        outcomes: dict[UUID, Outcome | BaseException] = {}
        known = [wish for wish in ordered if wish.message_id not in fresh]
        if known:
            outcomes |= await self._meet_again(connection, known)
        outcomes |= await self._within_limits(connection, [wish for wish in wishes if wish.message_id in fresh])
        return outcomes

    async def _meet_again(self, connection: Connection, wishes: list[Wish]) -> dict[UUID, Outcome | BaseException]:
        """Decide on requests whose key is there already."""
        rows = await connection.fetch(_FIND, [wish.workspace_id for wish in wishes], [wish.key for wish in wishes])
        by_key = {(row["workspace_id"], row["idempotency_key"]): row for row in rows}
        taken_up: set[UUID] = set()
        outcomes: dict[UUID, Outcome | BaseException] = {}
        for wish in wishes:
            row = by_key.get((wish.workspace_id, wish.key or ""))
            if row is not None and row["request_hash"] != wish.request_hash:
                outcomes[wish.message_id] = KeyReused(field="Idempotency-Key")
            elif row is not None and row["state"] == "accepted":
                outcomes[wish.message_id] = Replayed(row["answer"])
            elif row is None or row["held"] or row["id"] in taken_up:
                # No row: it was withdrawn in this very moment.
                outcomes[wish.message_id] = KeyInFlight(retry_after=1)
            else:
                taken_up.add(row["id"])
                outcomes[wish.message_id] = Admitted(row["id"], row["answer"], fresh=False)
        if taken_up:
            await connection.execute(_TAKE_UP, list(taken_up), self._lease)
        return outcomes

    async def _within_limits(self, connection: Connection, wishes: list[Wish]) -> dict[UUID, Outcome | BaseException]:
        """Count the new requests; those over their limit leave nothing behind. Replays never come here."""
        limited = [wish for wish in wishes if wish.rate_subject is not None]
        decisions = await rate.take(connection, [(wish.rate_subject or "", wish.rate_limit or 0) for wish in limited])
        by_id = {wish.message_id: decision for wish, decision in zip(limited, decisions, strict=True)}
        refused = [message_id for message_id, decision in by_id.items() if not decision.allowed]
        if refused:
            await connection.execute(_DELETE, refused)
        outcomes: dict[UUID, Outcome | BaseException] = {}
        for wish in wishes:
            decision = by_id.get(wish.message_id)
            if decision is None or decision.allowed:
                outcomes[wish.message_id] = Admitted(wish.message_id, wish.answer, decision)
            else:
                outcomes[wish.message_id] = RateLimited(decision)
        return outcomes


def _weight(answer: Answer) -> int:
    """A text weighs 1. A batch of 200 so has 800 KB at most, which one statement takes well."""
    return 1 + len(orjson.dumps(answer)) // 4096
