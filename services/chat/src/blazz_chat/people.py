"""Contacts and conversations in batches: found, or created on first contact."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_chassis.ids import uuid7

_BY_ID = """
select w.workspace_id, w.id as asked, c.id, c.phone, c.wa_id, c.user_id, c.lid, c.name, c.marketing_opt_out
from unnest($1::uuid[], $2::uuid[]) w (workspace_id, id) join contacts o using (workspace_id, id)
join contacts c on c.workspace_id = o.workspace_id and c.id = coalesce(o.merged_into, o.id)
"""
# Held until the transaction ends, so that no merge empties them meanwhile: what is stored for them goes with them. Who
# waited here for a merge learns of it.
_HOLD = "select id, merged_into from contacts where id = any($1::uuid[]) order by id for key share"
_THESE = "select id, phone, wa_id, user_id, lid, name, marketing_opt_out from contacts where id = any($1::uuid[])"
# A number is found under the form the workspace knows or under WhatsApp's own.
_BY_ADDRESS = """
select w.n, c.id, c.phone, c.wa_id, c.user_id, c.lid, c.name, c.marketing_opt_out
from unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[]) w (n, workspace_id, phone, user_id, lid)
cross join lateral (
    select *, 1 as rank from contacts where workspace_id = w.workspace_id and phone = w.phone
    union all
    select *, 2 from contacts where workspace_id = w.workspace_id and wa_id = w.phone
    union all
    select *, 3 from contacts where workspace_id = w.workspace_id and user_id = w.user_id
    union all
    select *, 4 from contacts where workspace_id = w.workspace_id and lid = w.lid
) c
order by w.n, c.rank desc
"""
# `do update` with nothing new: a row that another transaction has just made is returned too.
_CREATE_BY_PHONE = """
insert into contacts (id, workspace_id, phone, user_id, profile_name)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
on conflict (workspace_id, phone) do update set phone = excluded.phone
returning id, workspace_id, phone, wa_id, user_id, lid, name, marketing_opt_out
"""
_CREATE_BY_USER_ID = """
insert into contacts (id, workspace_id, user_id, profile_name)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
on conflict (workspace_id, user_id) do update set user_id = excluded.user_id
returning id, workspace_id, phone, wa_id, user_id, lid, name, marketing_opt_out
"""
_CREATE_BY_LID = """
insert into contacts (id, workspace_id, lid, profile_name)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
on conflict (workspace_id, lid) do update set lid = excluded.lid
returning id, workspace_id, phone, wa_id, user_id, lid, name, marketing_opt_out
"""
_LEARN = """
update contacts c set
    user_id = coalesce(c.user_id, case when not exists (
        select 1 from contacts o where o.workspace_id = c.workspace_id and o.user_id = l.user_id) then l.user_id end),
    phone = coalesce(c.phone, case when not exists (
        select 1 from contacts o where o.workspace_id = c.workspace_id and o.phone = l.phone) then l.phone end),
    lid = coalesce(c.lid, case when not exists (
        select 1 from contacts o where o.workspace_id = c.workspace_id and o.lid = l.lid) then l.lid end),
    profile_name = coalesce(l.profile_name, c.profile_name)
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) l (id, phone, user_id, profile_name, lid)
where c.id = l.id and c.merged_into is null
  and (c.user_id is null and l.user_id is not null or c.phone is null and l.phone is not null
       or c.lid is null and l.lid is not null and not exists (
            select 1 from contacts o where o.workspace_id = c.workspace_id and o.lid = l.lid)
       or l.profile_name is distinct from c.profile_name and l.profile_name is not null)
returning c.id
"""
_CONVERSATIONS = """
select v.id, v.channel_id, v.contact_id, v.last_inbound_at
from unnest($1::uuid[], $2::uuid[]) w (channel_id, contact_id) join conversations v using (channel_id, contact_id)
"""
_OPEN = """
insert into conversations (id, workspace_id, channel_id, contact_id, last_message_at)
select *, now() from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[])
on conflict (channel_id, contact_id) do update set contact_id = excluded.contact_id
returning id, channel_id, contact_id, last_inbound_at
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as the hot paths need it."""

    id: UUID
    phone: str | None
    user_id: str | None
    name: str | None
    """What the workspace calls them; it goes before the name they gave themselves."""
    marketing_opt_out: bool
    created: bool = False
    lid: str | None = None

    @classmethod
    def named(cls, phone: str | None, user_id: str | None) -> "Person":
        """Somebody whom nobody knows yet."""
        return cls(UUID(int=0), phone, user_id, None, marketing_opt_out=False)


@dataclass(frozen=True, slots=True)
class Address:
    """How a person is named: a phone number (digits), a user id, WhatsApp Web's hidden id, or several of these."""

    workspace_id: UUID
    phone: str | None = None
    user_id: str | None = None
    profile_name: str | None = None
    lid: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as the hot paths need it."""

    id: UUID
    last_inbound_at: datetime | None


async def by_id(connection: Connection, wanted: list[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Person]:
    """Contacts by (workspace, id); a foreign one is not found, and one that was merged is the other one."""
    if not wanted:
        return {}
    rows = await connection.fetch(_BY_ID, [w[0] for w in wanted], [w[1] for w in wanted])
    return {(row["workspace_id"], row["asked"]): _person(row) for row in rows}


async def at(connection: Connection, addresses: list[Address], *, create: bool = True) -> list[Person | None]:
    """The person at each address, in the same order; those who are new are created."""
    if not addresses:
        return []
    # Several addresses may name one person; each distinct one is looked up and created once.
    order = {address: n for n, address in enumerate(dict.fromkeys(addresses))}
    found: dict[Address, Person] = {}
    distinct = list(order)
    rows = await connection.fetch(
        _BY_ADDRESS,
        list(order.values()),
        [a.workspace_id for a in distinct],
        [a.phone for a in distinct],
        [a.user_id for a in distinct],
        [a.lid for a in distinct],
    )
    for row in rows:  # the best match of an address comes last
        found[distinct[row["n"]]] = _person(row)
    if create:
        await _create(connection, [a for a in distinct if a not in found], found)
    return [found.get(address) for address in addresses]


async def hold(connection: Connection, found: list[Person | None]) -> list[Person | None]:
    """Keep these people as they are until the transaction ends; those who were merged meanwhile are the others."""
    became: dict[UUID, Person] = {}
    # Whom this transaction made nobody else knows.
    asked = {person.id for person in found if person is not None and not person.created}
    pointers: dict[UUID, UUID] = {}
    while asked:
        moved = {
            row["id"]: row["merged_into"]
            for row in await connection.fetch(_HOLD, list(asked))
            if row["merged_into"] is not None
        }
        pointers |= moved
        asked = set(moved.values())
        if asked:
            became |= {row["id"]: _person(row) for row in await connection.fetch(_THESE, list(asked))}
    return [person and _followed(person, pointers, became) for person in found]


def _followed(person: Person, pointers: dict[UUID, UUID], became: dict[UUID, Person]) -> Person:
    last = person.id
    while last in pointers:
        last = pointers[last]
    return became.get(last, person)


async def _create(connection: Connection, missing: list[Address], found: dict[Address, Person]) -> None:
    """Each is created under the first address that they have; `learn` adds a hidden id to a number."""
    by_phone: dict[_Key, Address] = {}
    by_user: dict[_Key, Address] = {}
    by_lid: dict[_Key, Address] = {}
    for a in missing:
        if a.phone is not None:
            by_phone.setdefault((a.workspace_id, a.phone), a)
        elif a.user_id is not None:
            by_user.setdefault((a.workspace_id, a.user_id), a)
        elif a.lid is not None:
            by_lid.setdefault((a.workspace_id, a.lid), a)
    phones = await _insert(connection, _CREATE_BY_PHONE, by_phone, "phone", [a.user_id for a in _chosen(by_phone)])
    users = await _insert(connection, _CREATE_BY_USER_ID, by_user, "user_id")
    lids = await _insert(connection, _CREATE_BY_LID, by_lid, "lid")
    for a in missing:
        person = (
            phones.get((a.workspace_id, a.phone or ""))
            or users.get((a.workspace_id, a.user_id or ""))
            or lids.get((a.workspace_id, a.lid or ""))
        )
        if person is not None:
            found[a] = person


_Key = tuple[UUID, str]


def _chosen(addresses: dict[_Key, Address]) -> list[Address]:
    # Sorted, so that two batches that create the same people wait for each other in one direction only.
    return [addresses[key] for key in sorted(addresses)]


async def _insert(
    connection: Connection, sql: str, addresses: dict[_Key, Address], name: str, *more: list[str | None]
) -> dict[_Key, Person]:
    """Create the people of these addresses, in the statement's order of columns."""
    if not addresses:
        return {}
    chosen = _chosen(addresses)
    ids = [uuid7() for _ in chosen]
    rows = await connection.fetch(
        sql,
        ids,
        [a.workspace_id for a in chosen],
        [getattr(a, name) for a in chosen],
        *more,
        [a.profile_name for a in chosen],
    )
    fresh = set(ids)
    return {(row["workspace_id"], row[name]): _person(row, created=row["id"] in fresh) for row in rows}


async def learn(connection: Connection, known: list[tuple[UUID, Address]]) -> set[UUID]:
    """Add what a message told of people we know: their other address, the name they gave themselves."""
    if not known:
        return set()
    latest = dict(known)
    ids = sorted(latest)
    rows = await connection.fetch(
        _LEARN,
        ids,
        [latest[i].phone for i in ids],
        [latest[i].user_id for i in ids],
        [latest[i].profile_name for i in ids],
        [latest[i].lid for i in ids],
    )
    return {row["id"] for row in rows}


async def conversations(
    connection: Connection, wanted: list[tuple[UUID, UUID, UUID]]
) -> dict[tuple[UUID, UUID], Conversation]:
    """Conversations by (channel, contact), opened where there is none. `wanted`: (workspace, channel, contact)."""
    if not wanted:
        return {}
    keys = sorted({(channel, contact): workspace for workspace, channel, contact in wanted}.items())
    rows = await connection.fetch(_CONVERSATIONS, [k[0][0] for k in keys], [k[0][1] for k in keys])
    found = {(row["channel_id"], row["contact_id"]): Conversation(row["id"], row["last_inbound_at"]) for row in rows}
    missing = [(workspace, pair) for pair, workspace in keys if pair not in found]
    if missing:
        rows = await connection.fetch(
            _OPEN,
            [uuid7() for _ in missing],
            [workspace for workspace, _ in missing],
            [pair[0] for _, pair in missing],
            [pair[1] for _, pair in missing],
        )
        found |= {
            (row["channel_id"], row["contact_id"]): Conversation(row["id"], row["last_inbound_at"]) for row in rows
        }
    return found


def digits(phone: str) -> str:
    """A phone number without its `+`."""
    return phone.lstrip("+")


def _person(row: object, *, created: bool = False) -> Person:
    return Person(
        row["id"],  # type: ignore[index]
        row["phone"] or row["wa_id"],  # type: ignore[index]
        row["user_id"],  # type: ignore[index]
        row["name"],  # type: ignore[index]
        row["marketing_opt_out"],  # type: ignore[index]
        created,
        row["lid"],  # type: ignore[index]
    )
