"""Reading messages and contacts for people: one workspace at a time, under row-level security."""

import re
from typing import Any
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.errors import Invalid, NotFound
from blazz_contracts.message import Failure, Origin, OriginKind
from blazz_contracts.views.contact import ContactView
from blazz_contracts.views.message import AttemptView, MessageView
from blazz_contracts.views.page import Page

from blazz_chat import window

_MESSAGE_COLUMNS = """
m.id, m.position, m.conversation_id, m.contact_id, m.channel_id, m.direction, m.type, m.content, m.text, m.status,
m.waits_for, m.provider_message_id, m.reply_to, m.origin_kind, m.origin_id, m.failure, m.created_at, m.sent_at,
m.delivered_at, m.read_at, m.edited_at, m.revoked_at
"""
_OFFLINE = "c.provider = 'webjs' and c.session_state is distinct from 'ready'"

# A pending message that is ready waits for its turn: behind an earlier one, behind a stopped channel, or for a token.
_WAITS = f"""
case when m.status <> 'pending' then null
     when m.waits_for is not null then m.waits_for
     when c.state = 'stopped' then 'channel_stopped'
     when {_OFFLINE} then 'session_offline'
     when exists (select 1 from messages e where e.conversation_id = m.conversation_id and e.position < m.position
                  and e.status in ('pending', 'sending')) then 'earlier_message'
     when c.limits ->> 'messages_per_second' is not null then 'rate'
end
"""  # noqa: S608
_MESSAGE = f"""
select {_MESSAGE_COLUMNS}, {_WAITS} as waits from messages m left join channels c on c.id = m.channel_id
where m.workspace_id = $1 and m.id = $2
"""  # noqa: S608
_MESSAGES = f"""
select {_MESSAGE_COLUMNS},
       case when m.status = 'pending' and m.waits_for is null and {_OFFLINE} then 'session_offline' else m.waits_for end
       as waits
from messages m left join channels c on c.id = m.channel_id
where m.workspace_id = $1 and m.contact_id = $2 and m.position < $3 order by m.position desc limit $4
"""  # noqa: S608
_ATTEMPTS = "select * from attempts where workspace_id = $1 and message_id = $2 order by number"
_CONTACT_COLUMNS = """
c.id, c.name, c.profile_name, c.phone, c.wa_id, c.user_id, c.lid, c.marketing_opt_out, c.last_message_at, c.created_at,
(select max(v.last_inbound_at) from conversations v where v.contact_id = c.id) as last_inbound_at
"""
# One that was found to be somebody else is that other one.
_CONTACT = f"""
select {_CONTACT_COLUMNS} from contacts o
join contacts c on c.workspace_id = o.workspace_id and c.id = coalesce(o.merged_into, o.id)
where o.workspace_id = $1 and o.id = $2
"""  # noqa: S608
# By most recent talk; those without any come last, by id. The cursor is the last one's place in that order.
_CONTACTS = f"""
select {_CONTACT_COLUMNS} from contacts c
where c.workspace_id = $1 and c.merged_into is null and ($2::uuid is null or
    (coalesce(c.last_message_at, '-infinity'), c.id) <
    (select coalesce(last_message_at, '-infinity'), id from contacts where workspace_id = $1 and id = $2))
order by coalesce(c.last_message_at, '-infinity') desc, c.id desc limit $3
"""  # noqa: S608
_SEARCH = f"""
select {_CONTACT_COLUMNS} from search_contacts($1, $4, $2, $3) s join contacts c on c.id = s.id and c.workspace_id = $1
order by coalesce(c.last_message_at, '-infinity') desc, c.id desc
"""  # noqa: S608
_LAST_POSITION = 2**63 - 1


async def message(connection: Connection, workspace_id: UUID, message_id: UUID) -> MessageView:
    """One message with its attempts. Raises `NotFound`."""
    row = await connection.fetchrow(_MESSAGE, workspace_id, message_id)
    if row is None:
        raise NotFound("there is no such message in this workspace")
    attempts = await connection.fetch(_ATTEMPTS, workspace_id, message_id)
    return _message(row, [_attempt(attempt) for attempt in attempts])


async def messages(
    connection: Connection, workspace_id: UUID, contact_id: UUID, *, cursor: str | None, limit: int
) -> Page[MessageView]:
    """What was said with a contact, newest first. Raises `NotFound` for a foreign contact."""
    contact_id = (await contact(connection, workspace_id, contact_id)).id
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid("this cursor did not come from here", field="cursor")
    rows = await connection.fetch(
        _MESSAGES, workspace_id, contact_id, int(cursor) if cursor else _LAST_POSITION, limit + 1
    )
    items = [_message(row, []) for row in rows[:limit]]
    return Page[MessageView](items=items, next=str(rows[limit - 1]["position"]) if len(rows) > limit else None)


async def contact(connection: Connection, workspace_id: UUID, contact_id: UUID) -> ContactView:
    """One contact. Raises `NotFound`."""
    row = await connection.fetchrow(_CONTACT, workspace_id, contact_id)
    if row is None:
        raise NotFound("there is no such contact in this workspace")
    return _contact(row)


async def contacts(
    connection: Connection, workspace_id: UUID, *, search: str | None, cursor: UUID | None, limit: int
) -> Page[ContactView]:
    """Contacts, most recent talk first; `search` finds parts of names and numbers."""
    words = _words(search) if search else ""
    if words:
        rows = await connection.fetch(_SEARCH, workspace_id, cursor, limit + 1, words)
    else:
        rows = await connection.fetch(_CONTACTS, workspace_id, cursor, limit + 1)
    items = [_contact(row) for row in rows[:limit]]
    return Page[ContactView](items=items, next=str(items[-1].id) if len(rows) > limit else None)


def _words(search: str) -> str:
    """What to look for: a number as people write it (`+31 6 4000-0001`) becomes the digits that are kept."""
    words = " ".join(search.replace("\0", "").split())
    return re.sub(r"\D", "", words) if re.fullmatch(r"\+?[\d ().-]*\d[\d ().-]*", words) else words


def _contact(row: Any) -> ContactView:
    return ContactView(
        id=row["id"],
        name=row["name"] or row["profile_name"],
        phone=f"+{row['phone'] or row['wa_id']}" if row["phone"] or row["wa_id"] else None,
        user_id=row["user_id"],
        lid=row["lid"],
        marketing_opt_out=row["marketing_opt_out"],
        last_message_at=row["last_message_at"],
        window_closes_at=window.closes_at(row["last_inbound_at"]),
        created_at=row["created_at"],
    )


def _message(row: Any, attempts: list[AttemptView]) -> MessageView:
    return MessageView(
        id=row["id"],
        conversation_id=row["conversation_id"],
        contact_id=row["contact_id"],
        channel_id=row["channel_id"],
        direction=row["direction"],
        type=row["type"],
        content=row["content"],
        text=row["text"],
        status=row["status"],
        waits_for=row["waits"],
        provider_message_id=row["provider_message_id"],
        reply_to=row["reply_to"],
        origin=Origin(kind=OriginKind(row["origin_kind"]), id=row["origin_id"]) if row["origin_kind"] else None,
        failure=Failure(**row["failure"]) if row["failure"] else None,
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        delivered_at=row["delivered_at"],
        read_at=row["read_at"],
        edited_at=row["edited_at"],
        revoked_at=row["revoked_at"],
        attempts=attempts,
    )


def _attempt(row: Any) -> AttemptView:
    return AttemptView(
        number=row["number"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        outcome=row["outcome"],
        provider_message_id=row["provider_message_id"],
        failure=Failure(**row["failure"]) if row["failure"] else None,
    )
