"""The campaign row: locked, decided on, written back. Every change of state or counts goes through here.

Who changes recipients holds their campaign's lock, taken before and in the order of ids. So counts are exact without
counting, and no two transactions wait for each other in a circle.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import NotFound
from blazz_chassis.outbox import Outbox, Receipt
from blazz_contracts import Event
from blazz_contracts.events import CampaignProgress
from blazz_contracts.views.campaign import CampaignView, InvalidRow

from blazz_campaign.state import FINAL, RECIPIENT_STATES, Counts, is_over, shown

COLUMNS = """
id, workspace_id, name, channel_id, state, state_reason, n_queued, n_requested, n_unconfirmed, n_sent, n_failed,
n_delivered, n_read, n_played, n_cancelled, duplicates, invalid, invalid_rows, job_id, frozen_at, cursor, flight_to,
lease_token, coalesce(lease_until > now(), false) as leased, created_at, started_at, finished_at
"""
_LOCK = f"select {COLUMNS}, now() as now from campaigns where id = any($1::uuid[]) order by id for update"  # noqa: S608
_OWN = " and workspace_id = $2"
_LOCK_OWN = _LOCK.replace(" order by", f"{_OWN} order by")
_CHANNEL = "select channel_id from campaigns where id = $1 and workspace_id = $2"
_SAVE = """
update campaigns c
set state = r.state, state_reason = r.state_reason,
    n_queued = r.n_queued, n_cancelled = r.n_cancelled, n_requested = r.n_requested,
    n_unconfirmed = r.n_unconfirmed, n_sent = r.n_sent, n_failed = r.n_failed, n_delivered = r.n_delivered,
    n_read = r.n_read, n_played = r.n_played,
    duplicates = r.duplicates, invalid = r.invalid, frozen_at = r.frozen_at, cursor = r.cursor,
    flight_to = r.flight_to, lease_token = r.lease_token,
    lease_until = case when r.lease_token is null then null
                       when r.lease is null then c.lease_until else now() + make_interval(secs => r.lease) end,
    started_at = r.started_at, finished_at = r.finished_at,
    moved_at = case when r.moved then now() else c.moved_at end,
    revision = c.revision + r.moved::int,
    told_revision = case when r.turned then c.revision + r.moved::int else c.told_revision end,
    told_at = case when r.turned then now() else c.told_at end
from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[],
            $10::int[], $11::int[], $12::int[], $13::int[], $14::int[], $15::timestamptz[], $16::bigint[],
            $17::bigint[], $18::uuid[], $19::float8[], $20::timestamptz[], $21::timestamptz[], $22::boolean[],
            $23::boolean[])
     r (id, state, state_reason, n_queued, n_cancelled, n_requested, n_unconfirmed, n_sent, n_failed, n_delivered,
        n_read, n_played, duplicates, invalid, frozen_at, cursor, flight_to, lease_token, lease, started_at,
        finished_at, moved, turned)
where c.id = r.id
"""


@dataclass(slots=True)
class Campaign:
    """A locked campaign (or one that was only read)."""

    id: UUID
    workspace_id: UUID
    name: str
    channel_id: UUID
    state: str
    state_reason: str | None
    counts: Counts
    duplicates: int
    invalid: int
    invalid_rows: list[dict[str, Any]]
    job_id: UUID
    frozen_at: datetime | None
    cursor: int
    flight_to: int | None
    lease_token: UUID | None
    leased: bool
    """Whether an instance is sending it right now."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    now: datetime | None = None
    """The time of the transaction that locked it."""
    lease: float | None = None
    """Seconds the lease is prolonged by at `save`."""
    before: str = field(default="", init=False)
    counted_before: Counts = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        self.before, self.counted_before = self.state, self.counts.copy()

    def move(self, old: str | None, new: str, number: int = 1) -> None:
        """Count recipients that went from one state to another; `old` is None for new ones."""
        if old is not None:
            self.counts[old] -= number
        self.counts[new] += number

    def to(self, state: str, reason: str | None = None) -> None:
        """Change the state; `reason` is a sentence for people."""
        self.state, self.state_reason = state, reason
        if state == "sending":
            self.started_at = self.started_at or self.now
        if state in FINAL:
            self.finished_at = self.finished_at or self.now

    def settle(self) -> None:
        """Complete it when nothing is left to hand over or to hear of first."""
        if self.frozen_at is not None and is_over(self.state, self.counts):
            self.to("completed", self.state_reason)

    @property
    def turned(self) -> bool:
        """Whether its state has changed since it was locked."""
        return self.state != self.before

    @property
    def moved(self) -> bool:
        """Whether state or counts have changed since it was locked."""
        return self.turned or self.counts != self.counted_before

    def progress(self) -> CampaignProgress:
        """What others are told."""
        if self.now is None:
            raise ValueError("only a locked campaign knows what time it is")
        return CampaignProgress(
            workspace_id=self.workspace_id,
            campaign_id=self.id,
            display_name=self.name,
            state=self.state,
            counts=shown(self.counts),
            at=self.now,
        )

    def view(self) -> CampaignView:
        """What people see."""
        return CampaignView(
            id=self.id,
            name=self.name,
            channel_id=self.channel_id,
            state=self.state,
            state_reason=self.state_reason,
            counts=shown(self.counts),
            duplicates=self.duplicates,
            invalid=self.invalid,
            invalid_rows=[InvalidRow(**row) for row in self.invalid_rows],
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
        )


def of(record: Any) -> Campaign:
    """Read a row of `COLUMNS`."""
    values = dict(record)
    counts = Counter({state: values.pop(f"n_{state}") for state in RECIPIENT_STATES})
    return Campaign(counts=counts, **values)


async def lock(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Campaign]:
    """Lock campaigns, in the order of their ids; those that are not there are left out."""
    return {row["id"]: of(row) for row in await connection.fetch(_LOCK, sorted(set(ids)))}


async def lock_own(connection: Connection, workspace_id: UUID, campaign_id: UUID) -> Campaign:
    """Lock one campaign of a workspace. Raises `NotFound`."""
    row = await connection.fetchrow(_LOCK_OWN, [campaign_id], workspace_id)
    if row is None:
        raise not_found()
    return of(row)


async def channel_of(connection: Connection, workspace_id: UUID, campaign_id: UUID) -> UUID:
    """The channel of one campaign of a workspace. Raises `NotFound`."""
    channel_id: UUID | None = await connection.fetchval(_CHANNEL, campaign_id, workspace_id)
    if channel_id is None:
        raise not_found()
    return channel_id


async def save(
    connection: Connection, outbox: Outbox, campaigns: Iterable[Campaign], *, also: Sequence[Event] = ()
) -> Receipt:
    """Write locked campaigns back, and in the same transaction the events that tell of a change of state.

    Counts alone are told by `Telling`, at most once a second. `also` is told with them.
    """
    rows = list(campaigns)
    if rows:
        await connection.execute(
            _SAVE,
            [row.id for row in rows],
            [row.state for row in rows],
            [row.state_reason for row in rows],
            *([row.counts[state] for row in rows] for state in RECIPIENT_STATES),
            [row.duplicates for row in rows],
            [row.invalid for row in rows],
            [row.frozen_at for row in rows],
            [row.cursor for row in rows],
            [row.flight_to for row in rows],
            [row.lease_token for row in rows],
            [row.lease for row in rows],
            [row.started_at for row in rows],
            [row.finished_at for row in rows],
            [row.moved for row in rows],
            [row.turned for row in rows],
        )
    return await outbox.add(connection, [*(row.progress() for row in rows if row.turned), *also])


def not_found() -> NotFound:
    """What is said of a campaign that is not there, or is another workspace's."""
    return NotFound("there is no such campaign in this workspace", code="campaign_not_found")
