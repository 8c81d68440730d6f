"""Two contacts that turn out to be one person become one: the older, with all that was the younger's.

It happens where somebody was first met under a number in one place and under WhatsApp Web's hidden id in another, and a
message tells both. The younger stays as a pointer, so that whoever remembers its id finds the older.
"""

from typing import Any
from uuid import UUID

import structlog
from blazz_chassis.database import Connection

from blazz_chat import feed
from blazz_chat.people import Address

log = structlog.get_logger(__name__)

# Only where neither says the contrary: a number can pass to another person, whose hidden id is another.
_DOUBLE = """
select distinct on (least(p.id, l.id), greatest(p.id, l.id)) w.workspace_id, p.id as by_phone, l.id as by_lid,
       p.created_at <= l.created_at as phone_first
from unnest($1::uuid[], $2::text[], $3::text[]) w (workspace_id, phone, lid)
join contacts l on l.workspace_id = w.workspace_id and l.lid = w.lid
join lateral (
    select c.id, c.lid, c.created_at from contacts c
    where c.workspace_id = w.workspace_id and (c.phone = w.phone or c.wa_id = w.phone)
    order by c.phone = w.phone desc nulls last limit 1) p on p.id <> l.id
where (p.lid is null or p.lid = w.lid) and (l.phone is null or l.phone = w.phone)
"""
# Waits for those who store something for one of them just now (`people.hold`); it then goes with the rest.
_LOCK = "select merged_into from contacts where id = any($1::uuid[]) order by id for update"
_EMPTY = """
update contacts c set phone = null, wa_id = null, user_id = null, lid = null, name = null, profile_name = null,
       merged_into = $2
from (select * from contacts where id = $1) o where c.id = o.id
returning o.phone, o.wa_id, o.user_id, o.lid, o.name, o.profile_name, o.marketing_opt_out, o.last_message_at,
    o.opt_out_at
"""
_FOLLOW = "update contacts set merged_into = $2 where merged_into = $1"
_FILL = """
update contacts set phone = coalesce(phone, $2), wa_id = coalesce(wa_id, $3), user_id = coalesce(user_id, $4),
    lid = coalesce(lid, $5), name = coalesce(name, $6), profile_name = coalesce(profile_name, $7),
    marketing_opt_out = marketing_opt_out or $8, last_message_at = greatest(last_message_at, $9),
    opt_out_at = greatest(opt_out_at, $10)
where id = $1
"""
# What was said with the younger on a channel goes on in the older's conversation there, where there is one.
_FOLD = """
update conversations k set unread = k.unread + l.unread,
    last_inbound_at = greatest(k.last_inbound_at, l.last_inbound_at),
    last_message_at = greatest(k.last_message_at, l.last_message_at),
    pair_free_at = greatest(k.pair_free_at, l.pair_free_at),
    business_opened_at = greatest(k.business_opened_at, l.business_opened_at)
from conversations l where l.contact_id = $1 and k.contact_id = $2 and k.channel_id = l.channel_id
"""
_MOVE = """
update messages m set contact_id = $2, conversation_id = coalesce(k.id, m.conversation_id)
from conversations l left join conversations k on k.channel_id = l.channel_id and k.contact_id = $2
where l.contact_id = $1 and m.conversation_id = l.id
"""
_CLEAR = """
update conversations l set unread = 0 from conversations k
where l.contact_id = $1 and k.contact_id = $2 and k.channel_id = l.channel_id
"""
_ADOPT = """
update conversations l set contact_id = $2
where l.contact_id = $1
  and not exists (select 1 from conversations k where k.contact_id = $2 and k.channel_id = l.channel_id)
"""


async def merge(connection: Connection, addresses: list[Address]) -> list[feed.Change]:
    """Make one of each two contacts that these addresses show to be one; returns what the feed is to say of it."""
    both = {(a.workspace_id, a.phone, a.lid) for a in addresses if a.phone is not None and a.lid is not None}
    if not both:
        return []
    columns: Any = list(zip(*sorted(both, key=str), strict=True))
    changes: list[feed.Change] = []
    gone: set[UUID] = set()
    for row in await connection.fetch(_DOUBLE, *(list(column) for column in columns)):
        pair = (row["by_phone"], row["by_lid"])
        older, younger = pair if row["phone_first"] else pair[::-1]
        if gone & {older, younger}:
            continue  # a third one of the same person: the next message finds it
        gone |= {older, younger}
        if not await _merge(connection, older, younger):
            continue  # somebody else has just merged one of them
        log.info("contacts_merged", workspace_id=str(row["workspace_id"]), contact_id=str(older), merged=str(younger))
        changes.append(feed.Change(row["workspace_id"], "contact", younger, {"merged_into": str(older)}))
    return changes


async def _merge(connection: Connection, older: UUID, younger: UUID) -> bool:
    locked = await connection.fetch(_LOCK, [older, younger])
    if any(row["merged_into"] is not None for row in locked):
        return False
    had = await connection.fetchrow(_EMPTY, younger, older)
    if had is None:
        return False
    await connection.execute(_FOLLOW, younger, older)
    await connection.execute(
        _FILL,
        older,
        had["phone"],
        had["wa_id"],
        had["user_id"],
        had["lid"],
        had["name"],
        had["profile_name"],
        had["marketing_opt_out"],
        had["last_message_at"],
        had["opt_out_at"],
    )
    for statement in (_FOLD, _MOVE, _CLEAR, _ADOPT):
        await connection.execute(statement, younger, older)
    return True
