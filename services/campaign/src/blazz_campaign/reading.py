"""Reading campaigns and recipients for people: one workspace at a time, under row-level security."""

from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Invalid
from blazz_contracts.message import Failure
from blazz_contracts.views.campaign import CampaignView, RecipientView
from blazz_contracts.views.page import Page

from blazz_campaign import row

_ONE = f"select {row.COLUMNS} from campaigns where workspace_id = $1 and id = $2"  # noqa: S608
_LIST = f"""
select {row.COLUMNS} from campaigns where workspace_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
"""  # noqa: S608
_RECIPIENTS = """
select id, position, phone, message_id, state, failure, updated_at from recipients
where campaign_id = $1 and position > $2 and ($3::text is null or state = $3::recipient_state)
order by position limit $4
"""


async def campaign(connection: Connection, workspace_id: UUID, campaign_id: UUID) -> CampaignView:
    """One campaign. Raises `NotFound`."""
    found = await connection.fetchrow(_ONE, workspace_id, campaign_id)
    if found is None:
        raise row.not_found()
    return row.of(found).view()


async def campaigns(
    connection: Connection, workspace_id: UUID, *, cursor: UUID | None, limit: int
) -> Page[CampaignView]:
    """Campaigns, newest first."""
    rows = await connection.fetch(_LIST, workspace_id, cursor, limit + 1)
    items = [row.of(each).view() for each in rows[:limit]]
    return Page[CampaignView](items=items, next=str(items[-1].id) if len(rows) > limit else None)


async def recipients(
    connection: Connection, workspace_id: UUID, campaign_id: UUID, *, state: str | None, cursor: str | None, limit: int
) -> Page[RecipientView]:
    """Recipients in the order of the list. Raises `NotFound` for a foreign campaign."""
    await campaign(connection, workspace_id, campaign_id)
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid("this cursor did not come from here", field="cursor")
    rows = await connection.fetch(_RECIPIENTS, campaign_id, int(cursor or 0), state, limit + 1)
    items = [_recipient(each) for each in rows[:limit]]
    return Page[RecipientView](items=items, next=str(rows[limit - 1]["position"]) if len(rows) > limit else None)


def _recipient(found: Any) -> RecipientView:
    return RecipientView(
        id=found["id"],
        phone=f"+{found['phone']}",
        message_id=found["message_id"],
        state=found["state"],
        failure=Failure(**found["failure"]) if found["failure"] else None,
        updated_at=found["updated_at"],
    )
