"""Statuses: what WhatsApp tells of our messages moves them forward, and settles attempts of unknown outcome."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from blazz_chassis.crashpoints import reach
from blazz_chassis.database import Connection, Database
from blazz_chassis.errors import DatabaseUnavailable, Unavailable
from blazz_chassis.outbox import Outbox
from blazz_contracts.events import ProviderStatus, WebhooksAlive
from blazz_contracts.events.provider_status import StatusItem

from blazz_chat import feed, lifecycle, merging, people, rows
from blazz_chat.channels import Channels
from blazz_chat.lifecycle import Retries
from blazz_chat.people import Address
from blazz_chat.storable import storable
from blazz_chat.telling import events

_BY_PROVIDER_ID = """
select a.provider_message_id, a.message_id, a.number from attempts a
where a.provider_message_id = any($1::text[]) and a.channel_id = any($2::uuid[])
"""
_STRAY = """
insert into stray_statuses (workspace_id, channel_id, item)
select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[])
"""
# A part at a time: what outlasts a statement's time limit is rolled back, each time anew.
_PURGE_STRAY = """
delete from stray_statuses where ctid = any(array(
    select ctid from stray_statuses where received_at < now() - interval '7 days' order by received_at limit $1))
"""
_PURGED_AT_ONCE = 5000
_OPT_OUT = """
update contacts set marketing_opt_out = true, opt_out_at = now() where id = any($1::uuid[]) and not marketing_opt_out
"""
# WhatsApp's own form of a number, where it differs from ours: the customer will write from that one.
_WA_IDS = """
update contacts c set wa_id = w.wa_id from unnest($1::uuid[], $2::text[]) w (id, wa_id)
where c.id = w.id and c.phone <> w.wa_id and c.wa_id is distinct from w.wa_id
"""
# Beats that waited in the queue may be handled out of order: an earlier one extends the stretch backwards. The time is
# the gateway's: where its clock is ahead of the database's, by which leases end, it counts as now.
_ALIVE = """
insert into webhook_flows (instance, since, until, silence) values ($1, least($2, now()), least($2, now()), $3)
on conflict (instance) do update set
    since = case when excluded.until - webhook_flows.until > make_interval(secs => $3) then excluded.until
                 when webhook_flows.since - excluded.until <= make_interval(secs => $3)
                      then least(webhook_flows.since, excluded.until)
                 else webhook_flows.since end,
    until = greatest(webhook_flows.until, excluded.until), silence = excluded.silence
"""
# Its webhook is set up: from now on its silence means something. Written once a channel.
_SEEN = "update channels set status_seen_at = now() where id = any($1::uuid[]) and status_seen_at is null"
_HOLD_BACK = """
insert into webhook_flows (instance, since, until)
values ($1, now() + make_interval(secs => $2), now() + make_interval(secs => $2))
on conflict (instance) do update set
    since = greatest(webhook_flows.since, excluded.since), until = greatest(webhook_flows.until, excluded.until)
"""
_FORGET_FLOWS = "delete from webhook_flows where until < now() - interval '1 day'"

RETRIED = "chat.statuses.retry"
"""No gateway: the flow that tells since when no status waits to be tried again."""
# A longer silence than this many beats is an outage: what came in between may still be on its way.
MISSED_BEATS = 3


class Statuses:
    """Applies statuses in micro-batches."""

    def __init__(self, database: Database, outbox: Outbox, channels: Channels, retries: Retries) -> None:
        self._database = database
        self._outbox = outbox
        self._channels = channels
        self._retries = retries
        self._seen: set[UUID] = set()

    async def apply(self, batch: list[ProviderStatus]) -> Sequence[set[UUID]]:
        """Apply events; returns for each the channels in which a message may be sent again."""
        receipt, touched = await self._database.retrying(lambda: self._apply(batch))
        reach("statuses.committed")
        self._seen.update(event.channel_id for event in batch)
        self._outbox.send_soon(receipt)
        return [touched for _ in batch]

    async def _apply(self, batch: list[ProviderStatus]) -> tuple[Any, set[UUID]]:
        async with self._database.worker() as connection:
            found = await self._resolve(connection, batch)
            states = await rows.lock(connection, [message_id for _, _, message_id, _ in found if message_id])
            stray: list[tuple[ProviderStatus, StatusItem]] = []
            met: dict[UUID, Address] = {}
            for event, item, message_id, attempt in found:
                row = states.get(message_id) if message_id else None
                # Callback data is only as good as the channel that echoes it: a foreign message is a stray.
                if (
                    row is None
                    or row.state.workspace_id != event.workspace_id
                    or not lifecycle.known_status(item.status)
                ):
                    stray.append((event, item))
                    continue
                lifecycle.apply(
                    row.state,
                    lifecycle.Told(item.status, item.at, _own_id(item), attempt, storable(item.errors)),
                    self._retries,
                )
                if item.recipient_lid is not None:
                    met[row.contact_id] = Address(event.workspace_id, item.recipient_phone, lid=item.recipient_lid)
            await rows.save(connection, list(states.values()), hold_back=self._retries.hold_back)
            merged = await _meet(connection, met)
            opted_out = sorted({row.contact_id for row in states.values() if row.state.opted_out})
            if opted_out:
                await connection.execute(_OPT_OUT, opted_out)
            stopped = await self._channels.stop(connection, rows.stopped(states.values()))
            unseen = {event.channel_id for event in batch} - self._seen
            if unseen:
                await connection.execute(_SEEN, sorted(unseen))
            if stray:
                await connection.execute(
                    _STRAY,
                    [event.workspace_id for event, _ in stray],
                    [event.channel_id for event, _ in stray],
                    [storable(item.model_dump(mode="json")) for _, item in stray],
                )
            receipt = await self._outbox.add(connection, [*events(states.values()), *stopped])
            await feed.append(connection, [*merged, *rows.changes(states.values())])
        # A tick on what was sent before frees nobody: only what left, or waits again, lets others go.
        return receipt, {r.channel_id for r in states.values() if r.state.changed and r.moved_the_queue}

    async def _resolve(
        self, connection: Connection, batch: list[ProviderStatus]
    ) -> list[tuple[ProviderStatus, StatusItem, UUID | None, int | None]]:
        """Which message and attempt each item speaks of: by our callback data, else by WhatsApp's id."""
        found: list[tuple[ProviderStatus, StatusItem, UUID | None, int | None]] = []
        unnamed: list[StatusItem] = []
        for event in batch:
            for item in event.items:
                message_id, attempt = parse_callback(item.callback_data)
                if message_id is None:
                    unnamed.append(item)
                found.append((event, item, message_id, attempt))
        if not unnamed:
            return found
        rows_ = await connection.fetch(
            _BY_PROVIDER_ID,
            [storable(item.provider_message_id) for item in unnamed],
            [event.channel_id for event in batch],
        )
        known = {row["provider_message_id"]: (row["message_id"], row["number"]) for row in rows_}
        return [
            (event, item, message_id, attempt)
            if message_id
            else (event, item, *known.get(item.provider_message_id, (None, None)))
            for event, item, message_id, attempt in found
        ]

    async def alive(self, beat: WebhooksAlive) -> None:
        """Remember up to when webhooks have flowed without a gap."""
        async with self._database.worker() as connection:
            await connection.execute(_ALIVE, beat.instance, beat.at, beat.interval * MISSED_BEATS)

    async def hold_back(self, seconds: float) -> None:
        """Let silence count for nothing until a status that could not be applied has come again.

        Raises `DatabaseUnavailable`, which keeps the status where it is, when that cannot be noted.
        """
        try:
            async with self._database.worker() as connection:
                await connection.execute(_HOLD_BACK, RETRIED, seconds)
        except Unavailable as error:
            raise DatabaseUnavailable(probe=self._database.probe) from error

    async def purge(self) -> bool:
        """Forget some of what nobody will ask for any more; returns whether there may be more."""
        async with self._database.worker() as connection:
            await connection.execute(_FORGET_FLOWS)
            return str(await connection.execute(_PURGE_STRAY, _PURGED_AT_ONCE)) == f"DELETE {_PURGED_AT_ONCE}"


async def _meet(connection: Connection, met: dict[UUID, Address]) -> list[feed.Change]:
    """Whom a WhatsApp Web session wrote to has a hidden id, and may answer under it alone."""
    if not met:
        return []
    ids = sorted(met)
    numbers = [(i, phone) for i in ids if (phone := met[i].phone) is not None]
    await connection.execute(_WA_IDS, [n[0] for n in numbers], [n[1] for n in numbers])
    merged = await merging.merge(connection, [met[i] for i in ids])
    await people.learn(connection, [(i, met[i]) for i in ids])
    return merged


def _own_id(item: StatusItem) -> str | None:
    """WhatsApp's id of the message; what never got one is named by its callback data."""
    return None if item.provider_message_id == item.callback_data else storable(item.provider_message_id)


def parse_callback(data: str | None) -> tuple[UUID | None, int | None]:
    """Read `{message_id}:{attempt}`; (None, None) when it is not ours."""
    if data is None:
        return None, None
    name, _, number = data.partition(":")
    if not number.isascii() or not number.isdigit() or len(number) > 6:
        return None, None
    try:
        return UUID(name), int(number)
    except ValueError:
        return None, None
