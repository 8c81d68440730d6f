"""Results: what the provider answered is committed, told, and its message let go. In micro-batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.outbox import Outbox
from blazz_contracts.message import Status

from blazz_chat import feed, lifecycle, rows
from blazz_chat.channels import Channel, Channels
from blazz_chat.failures import Refusal, Remedy
from blazz_chat.lifecycle import OFFLINE, Retries
from blazz_chat.providers.protocol import Absent, Accepted, Handed, Outcome, Outgoing, Unknown, Unreachable
from blazz_chat.telling import events

_WA_IDS = """
update contacts c set wa_id = w.wa_id
from unnest($1::uuid[], $2::text[]) w (id, wa_id) where c.id = w.id and c.wa_id is distinct from w.wa_id
"""
_OPT_OUT = """
update contacts set marketing_opt_out = true, opt_out_at = now() where id = any($1::uuid[]) and not marketing_opt_out
"""
# The call has ended, so nothing more of this attempt can leave: its lease ends now, and settling may begin.
_UNKNOWN = """
update messages m set lease_until = now() from unnest($1::uuid[], $2::int[], $3::timestamptz[]) u (id, attempt, lease)
where m.id = u.id and m.attempt = u.attempt and m.status = 'sending' and m.lease_until = u.lease
"""
# Others send it now, and settling does not wait for our lease. A claim whose attempt was given back and claimed again
# has another lease, and is not this one.
_HANDED = """
update messages m set lease_until = null from unnest($1::uuid[], $2::int[], $3::timestamptz[]) u (id, attempt, lease)
where m.id = u.id and m.attempt = u.attempt and m.status = 'sending' and m.lease_until = u.lease
"""
# Nothing left this machine: the attempt never was. Only while it is this very claim: a give-back whose commit was not
# heard of is repeated, and the message may have been claimed anew meanwhile, under the same number. An attempt that may
# have been handed over, now or by an earlier claim, stays: what became of it is not known.
_GIVE_BACK = """
with back as (
    update messages m set status = 'pending', attempt = m.attempt - 1, lease_until = null,
           waits_for = case when u.wait is not null then $5 end,
           next_attempt_at = now() + make_interval(secs => u.wait)
    from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::float8[], $6::bool[])
         u (id, attempt, lease, wait, perhaps_handed)
    where m.id = u.id and m.attempt = u.attempt and m.status = 'sending' and m.lease_until = u.lease
    returning m.id, m.attempt + 1 as number, u.perhaps_handed
)
delete from attempts a using back
where a.message_id = back.id and a.number = back.number and a.asked_at is null and not back.perhaps_handed
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one claimed message."""

    channel: Channel
    message: Outgoing
    outcome: Outcome


class Results:
    """Commits results."""

    def __init__(self, database: Database, outbox: Outbox, channels: Channels, retries: Retries) -> None:
        self._database = database
        self._outbox = outbox
        self._channels = channels
        self._retries = retries

    async def commit(self, results: list[Result]) -> Sequence[None]:
        """Commit a batch and tell what it changed."""
        receipt = await self._database.retrying(lambda: self._commit(results))
        reach("results.committed")
        self._outbox.send_soon(receipt)
        return [None] * len(results)

    async def _commit(self, results: list[Result]) -> Any:
        definite = [r for r in results if isinstance(r.outcome, Accepted | Refusal)]
        async with self._database.worker() as connection:
            await self._indefinite(connection, results)
            states = await rows.lock(connection, [r.message.message_id for r in definite])
            now = datetime.now(UTC)
            opted_out: set[UUID] = set()
            for result in definite:
                row = states.get(result.message.message_id)
                if row is None:
                    continue
                self._apply(row, result, now)
                if isinstance(result.outcome, Refusal) and result.outcome.remedy is Remedy.OPT_OUT:
                    opted_out.add(row.contact_id)
            await rows.save(connection, list(states.values()), hold_back=self._retries.hold_back)
            await self._learn(connection, definite, states)
            if opted_out:
                await connection.execute(_OPT_OUT, sorted(opted_out))
            stopped = await self._channels.stop(connection, rows.stopped(states.values()))
            receipt = await self._outbox.add(connection, [*events(states.values()), *stopped])
            await feed.append(connection, rows.changes(states.values()))
        return receipt

    def _apply(self, row: rows.Row, result: Result, now: datetime) -> None:
        state, message, outcome = row.state, result.message, result.outcome
        current = state.attempt == message.attempt and state.status is Status.SENDING
        if isinstance(outcome, Accepted):
            lifecycle.apply(
                state,
                lifecycle.Told("sent", now, outcome.provider_message_id, message.attempt, []),
                self._retries,
            )
        elif isinstance(outcome, Refusal):
            state.settled.setdefault(message.attempt, ("failed", None, outcome.failure))
            state.refused.add(message.attempt)
            if current:
                lifecycle.refuse(state, outcome, now, self._retries)

    async def _indefinite(self, connection: Connection, results: list[Result]) -> None:
        for kind, sql in ((Unknown, _UNKNOWN), (Handed, _HANDED)):
            if these := [r.message for r in results if isinstance(r.outcome, kind)]:
                await connection.execute(sql, *_claims(these))
        back = {
            r.message.message_id: (r.outcome.wait, False)
            if isinstance(r.outcome, Absent)
            else (None, r.outcome.perhaps_handed)
            for r in results
            if isinstance(r.outcome, Absent | Unreachable)
        }
        if back:
            ids, *more = _claims([r.message for r in results if r.message.message_id in back])
            await connection.execute(
                _GIVE_BACK, ids, *more, [back[i][0] for i in ids], OFFLINE, [back[i][1] for i in ids]
            )

    async def _learn(self, connection: Connection, results: list[Result], states: dict[UUID, rows.Row]) -> None:
        """WhatsApp's own form of a number, where it differs from ours: the customer will write from that one."""
        learned = {
            states[r.message.message_id].contact_id: r.outcome.wa_id
            for r in results
            if isinstance(r.outcome, Accepted)
            and r.outcome.wa_id
            and r.message.phone
            and r.outcome.wa_id != r.message.phone
            and r.message.message_id in states
        }
        if learned:
            ids = sorted(learned)
            await connection.execute(_WA_IDS, ids, [learned[i] for i in ids])


def _claims(messages: list[Outgoing]) -> tuple[list[UUID], list[int], list[datetime | None]]:
    """Which claims these are, as columns. Sorted, so that two batches wait for each other in one direction only."""
    these = sorted(messages, key=lambda m: m.message_id)
    return [m.message_id for m in these], [m.attempt for m in these], [m.lease_until for m in these]
