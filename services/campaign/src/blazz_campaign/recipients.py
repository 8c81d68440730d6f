"""Statements on recipients. Each needs the lock of their campaign, and counts what it changed there."""

from collections.abc import Sequence
from typing import Any

from blazz_chassis.database import Connection
from blazz_chassis.ids import uuid7
from blazz_contracts.message import Failure

from blazz_campaign.row import Campaign
from blazz_campaign.spreadsheet import Row

_ADD = """
insert into recipients (id, campaign_id, workspace_id, position, phone, variables, message_id, state, failure)
select r.id, $1, $2, r.position, r.phone, r.variables, r.message_id, r.state::recipient_state, r.failure
from unnest($3::uuid[], $4::bigint[], $5::text[], $6::jsonb[], $7::uuid[], $8::text[], $9::jsonb[])
     r (id, position, phone, variables, message_id, state, failure)
on conflict (campaign_id, phone) do nothing
returning state
"""
_CANCEL = """
update recipients set state = 'cancelled', updated_at = now()
where campaign_id = $1 and position >= $2 and state = 'queued'
"""
_NEXT = """
select position, phone, variables, message_id from recipients
where campaign_id = $1 and position >= $2 and position < $3 and state = 'queued' order by position limit $4
"""
_REQUESTED = """
update recipients set state = 'requested', updated_at = now()
where campaign_id = $1 and position >= $2 and position < $3 and state = 'queued'
"""
_LAST_POSITION = 2**63 - 1


async def add(
    connection: Connection, campaign: Campaign, rows: Sequence[Row], refusals: Sequence[Failure | None]
) -> None:
    """Make recipients of rows; those that name a number again are counted as duplicates."""
    added = await connection.fetch(
        _ADD,
        campaign.id,
        campaign.workspace_id,
        [uuid7() for _ in rows],
        [row.number for row in rows],
        [row.phone for row in rows],
        [row.variables or {} for row in rows],
        [uuid7() for _ in rows],
        ["queued" if refusal is None else "failed" for refusal in refusals],
        [None if refusal is None else refusal.model_dump() for refusal in refusals],
    )
    for row in added:
        campaign.move(None, row["state"])
    campaign.duplicates += len(rows) - len(added)


async def cancel_queued(connection: Connection, campaign: Campaign) -> None:
    """Nobody who is still queued gets the message. What is being handed over this moment is past stopping."""
    in_flight = campaign.flight_to if campaign.leased else None
    if in_flight is None:
        campaign.flight_to = None
    # Its sender died on what is in flight otherwise. Some of it may be out: its outcome will tell.
    done = await connection.execute(_CANCEL, campaign.id, campaign.cursor if in_flight is None else in_flight)
    campaign.move("queued", "cancelled", _number(done))


async def in_flight(connection: Connection, campaign: Campaign) -> list[Any]:
    """Those that were being handed over."""
    return await connection.fetch(_NEXT, campaign.id, campaign.cursor, campaign.flight_to, None)


async def take_off(connection: Connection, campaign: Campaign, most: int) -> list[Any]:
    """Put the next queued ones in flight. They stay queued, so that whoever dies now loses none of them."""
    rows: list[Any] = await connection.fetch(_NEXT, campaign.id, campaign.cursor, _LAST_POSITION, most)
    campaign.flight_to = rows[-1]["position"] + 1 if rows else None
    return rows


async def land(connection: Connection, campaign: Campaign) -> None:
    """Those in flight were handed over. Who has an outcome already is left as it is."""
    done = await connection.execute(_REQUESTED, campaign.id, campaign.cursor, campaign.flight_to)
    campaign.move("queued", "requested", _number(done))
    campaign.cursor, campaign.flight_to = campaign.flight_to or campaign.cursor, None


def _number(status: str) -> int:
    return int(status.rpartition(" ")[2])
