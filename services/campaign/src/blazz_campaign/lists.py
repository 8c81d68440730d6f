"""Lists of recipients as they were sent to us: kept in parts, as they came, until they are frozen.

Keeping is all that the request waits for; reading row by row is the job's.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from uuid import UUID

import orjson
from blazz_chassis.database import Connection, Database
from blazz_contracts.views.campaign import CampaignRecipient

from blazz_campaign import spreadsheet
from blazz_campaign.phone import digits
from blazz_campaign.spreadsheet import NUL, Row

Kind = Literal["csv", "json"]

# A part is read into memory as a whole.
_CSV_PART = 256 * 1024  # bytes
_JSON_PART = 2000  # recipients

_KEEP = """
insert into list_parts (campaign_id, workspace_id, number, body)
select $1, $2, p.number, p.body from unnest($3::int[], $4::bytea[]) p (number, body)
"""
_PART = "select body from list_parts where campaign_id = $1 and number = $2"
_FORGET = "delete from list_parts where campaign_id = $1"


async def keep(connection: Connection, campaign_id: UUID, workspace_id: UUID, parts: Sequence[bytes]) -> None:
    """Store a list in the caller's transaction."""
    await connection.execute(_KEEP, campaign_id, workspace_id, list(range(len(parts))), parts)


async def forget(connection: Connection, campaign_id: UUID) -> None:
    """Remove a list that is frozen, or will never be."""
    await connection.execute(_FORGET, campaign_id)


def parts_of_csv(text: str) -> list[bytes]:
    """A CSV, cut anywhere."""
    body = text.encode()
    return [body[at : at + _CSV_PART] for at in range(0, len(body), _CSV_PART)]


def parts_of_json(recipients: Sequence[CampaignRecipient]) -> list[bytes]:
    """A list of recipients, cut between them."""
    return [
        orjson.dumps([(each.phone, each.variables) for each in recipients[at : at + _JSON_PART]])
        for at in range(0, len(recipients), _JSON_PART)
    ]


async def load(database: Database, campaign_id: UUID) -> list[bytes]:
    """The parts of a list: 20 MB at most, by the limit on what may be sent."""
    parts: list[bytes] = []
    while True:
        async with database.worker() as connection:
            body: bytes | None = await connection.fetchval(_PART, campaign_id, len(parts))
        if body is None:
            return parts
        parts.append(body)


def rows(parts: Iterable[bytes], kind: Kind) -> Iterator[Row]:
    """Read a list from its beginning. Raises `BadSpreadsheet` for a CSV that cannot be read to its end."""
    return spreadsheet.rows(parts) if kind == "csv" else _json_rows(parts)


def _json_rows(parts: Iterable[bytes]) -> Iterator[Row]:
    number = 0
    for part in parts:
        for written, variables in orjson.loads(part):
            number += 1
            phone = digits(written)
            if phone is None:
                yield Row(number, refusal=spreadsheet.refused_phone(written))
            elif any("\0" in text for pair in variables.items() for text in pair):
                yield Row(number, refusal=NUL)
            else:
                yield Row(number, phone, variables)
