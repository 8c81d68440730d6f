"""Who is on which presence channel, across instances.

The table is the truth. `presence.changed` on the broker is only a hint to look at it again, so hints may be doubled,
lost or out of order: listeners are always told the difference between what they were told and what the table says.
All changes of this instance go through one serial line, in micro-batches: one transaction for many sockets.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import structlog
from blazz_chassis.batcher import Batcher
from blazz_chassis.database import Database
from blazz_chassis.errors import DatabaseUnavailable, Unavailable
from blazz_contracts.event import Event
from blazz_contracts.events import PresenceChanged

from blazz_notifier import frame, metrics, presence_rows
from blazz_notifier.channel_name import ChannelName
from blazz_notifier.channel_name import read as read_channel
from blazz_notifier.errors import SubscriptionRefused
from blazz_notifier.fanout import Fanout
from blazz_notifier.inbound import Member
from blazz_notifier.presence_rows import Pair, Row
from blazz_notifier.registry import Registry
from blazz_notifier.socket import Socket

log = structlog.get_logger(__name__)

BATCH = 200  # changes in one transaction
WAIT = 0.005  # seconds the first change waits for company
_RETRY = 1.0  # seconds between attempts to write rows while the database is away

Info = dict[str, Any] | None
Members = dict[str, Info]


class Publisher(Protocol):
    """What is needed of the chassis' publisher."""

    async def publish_many(self, events: list[Event]) -> object: ...  # noqa: D102


@dataclass(slots=True)
class Change:
    """One step in the line: `join` or `leave` a row, `look` at a member again, `compare` a whole channel."""

    kind: str
    channel: str
    row: Row | None = None
    user_id: str = ""
    admit: Callable[[], object] | None = None


@dataclass(slots=True)
class _Found:
    """What one transaction saw."""

    changed: set[Pair]
    """Members whose sockets it changed."""
    looked: set[Pair]
    before: set[Pair] = field(default_factory=set)
    """Those of the changed that were present before."""
    after: dict[Pair, Info] = field(default_factory=dict)
    """Those of the changed and the looked at that are present now."""
    whole: dict[str, Members] = field(default_factory=dict)
    """Channels read as a whole."""


class Presence:
    """The presence channels of this instance's sockets."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        registry: Registry,
        fanout: Fanout,
        *,
        instance_id: UUID,
        max_members: int,
        patience: float,
    ) -> None:
        """`patience`: seconds a join waits for the instance's first lease."""
        self._database, self._publisher, self._registry, self._fanout = database, publisher, registry, fanout
        self._instance_id, self._max_members, self._patience = instance_id, max_members, patience
        self._tokens = 0
        self._told: dict[str, Members] = {}
        self._joining: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.leased = asyncio.Event()
        """Set while this instance has a lease; rows without one are anybody's to remove."""
        self.line: Batcher[Change, None] = Batcher(self._flush, name="presence", max_items=BATCH, max_wait=WAIT)

    # --- what is asked of it

    def membership(self, socket: Socket, channel: ChannelName, member: Member) -> Row:
        """The row of a subscription that begins now."""
        self._tokens += 1
        return Row(
            self._instance_id,
            socket.socket_id,
            channel.name,
            channel.workspace_id,
            member.user_id,
            self._tokens,
            member.user_info,
        )

    async def join(self, socket: Socket, row: Row, admit: Callable[[], bool]) -> None:
        """Add the socket to the channel. `admit` runs at the very moment from which it is told what changes; False when
        it has left meanwhile.

        Raises `SubscriptionRefused` when the channel is full, `Unavailable` when the database is away; then it is not
        known whether the row was stored: try again, or `leave`.
        """
        known = self._told.get(row.channel)
        if known is not None and row.user_id not in known and len(known) >= self._max_members:
            detail = f"The channel has {self._max_members} members, the most it may have"
            raise SubscriptionRefused(row.channel, detail, status=409, kind="LimitReached", number=None)
        try:
            async with asyncio.timeout(self._patience):
                await self.leased.wait()
        except TimeoutError as error:
            raise DatabaseUnavailable from error

        def admitted() -> None:
            # Somebody who left meanwhile is no member: a lease that lapses later would bring them back.
            if admit():
                socket.memberships[row.channel] = row

        self._joining[row.channel] = self._joining.get(row.channel, 0) + 1
        try:
            await self.line.submit(Change("join", row.channel, row, admit=admitted))
        finally:
            self._joining[row.channel] -= 1
            if not self._joining[row.channel]:
                del self._joining[row.channel]

    def leave(self, row: Row) -> None:
        """Take a row away, ours or of an instance that fell silent; others are told when the user has no other."""
        self._apart(Change("leave", row.channel, row))

    def rejoin(self) -> None:
        """Store all rows of this instance again: its lease had lapsed, and others may have removed them."""
        for socket in self._registry.sockets.values():
            for row in socket.memberships.values():
                self._apart(Change("join", row.channel, row))

    def hint(self, channel: str, user_id: str) -> None:
        """Look at this member again, if anybody here listens or is about to."""
        if channel in self._told or channel in self._joining:
            self._apart(Change("look", channel, user_id=user_id))

    def compare_all(self) -> None:
        """Compare what was told with the table, for every channel that somebody listens to."""
        for channel in self._told:
            self._apart(Change("compare", channel))

    def snapshot(self, channel: str) -> dict[str, Any]:
        """The members as listeners know them, in the shape of `subscription_succeeded`."""
        members = self._told.get(channel, {})
        return {"presence": {"count": len(members), "ids": list(members), "hash": members}}

    async def settled(self, within: float) -> None:
        """Wait until all that was asked for is done, for `within` seconds at most; the rest is left to the lease."""
        try:
            async with asyncio.timeout(within):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
        except TimeoutError:
            log.warning("presence_left_to_lease", changes=len(self._tasks))
            for task in self._tasks:
                task.cancel()

    # --- the line

    def _apart(self, change: Change) -> None:
        self._keep(self._submit(change))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self, change: Change) -> None:
        while True:
            try:
                await self.line.submit(change)
            except Unavailable as error:
                if change.kind not in {"leave", "join"}:
                    return  # the next comparison finds it
                log.info("presence_change_waits", kind=change.kind, channel=change.channel, error=error.code)
                await asyncio.sleep(_RETRY)
            except Exception:
                log.exception("presence_change_failed", kind=change.kind, channel=change.channel)
                return
            else:
                return

    async def _flush(self, changes: list[Change]) -> list[None]:
        found = await self._database.retrying(lambda: self._store(changes))
        self._tell(changes, found)
        self._announce(changes, found)
        return [None] * len(changes)

    async def _store(self, changes: list[Change]) -> _Found:
        """One transaction for all changes."""
        leaves = [c.row for c in changes if c.row is not None and c.kind == "leave"]
        ended = {(row.channel, row.socket_id, row.token) for row in leaves}
        # Of a socket that subscribed again within the batch, the last subscription counts, if it has not ended too.
        last = {(c.channel, c.row.socket_id): c.row for c in changes if c.row is not None and c.kind == "join"}
        joins = [row for row in last.values() if (row.channel, row.socket_id, row.token) not in ended]
        changed = {(row.channel, row.user_id) for row in (*joins, *leaves)}
        found = _Found(changed, {(c.channel, c.user_id) for c in changes if c.kind == "look"} - changed)
        whole = {
            c.channel for c in changes if c.kind == "compare" or (c.kind == "join" and c.channel not in self._told)
        }
        async with self._database.worker() as connection:
            if changed:
                await presence_rows.lock(connection, changed)
                found.before = set(await presence_rows.existing(connection, changed))
            if leaves:
                await presence_rows.delete(connection, leaves, self._instance_id)
            if joins:
                await presence_rows.insert(connection, joins)
            if changed or found.looked:
                found.after = await presence_rows.existing(connection, changed | found.looked)
            if whole:
                found.whole = await presence_rows.members(connection, whole)
        metrics.presence_rows.labels("join").inc(len(joins))
        metrics.presence_rows.labels("leave").inc(len(leaves))
        return found

    def _tell(self, changes: list[Change], found: _Found) -> None:
        """Tell listeners the difference, then admit the new ones. Without a pause: nothing comes in between."""
        for channel, members in found.whole.items():
            told = self._told.setdefault(channel, dict(members))
            for user_id in [*told.keys() - members.keys(), *members.keys() - told.keys()]:
                self._put(channel, user_id, members.get(user_id), present=user_id in members)
        for channel, user_id in (*found.changed, *found.looked):
            if channel in self._told and channel not in found.whole:
                pair = (channel, user_id)
                self._put(channel, user_id, found.after.get(pair), present=pair in found.after)
        for change in changes:
            if change.admit is not None:
                change.admit()
        for channel in {change.channel for change in changes}:
            if not self._registry.has(channel):
                self._told.pop(channel, None)

    def _put(self, channel: str, user_id: str, info: Info, *, present: bool) -> None:
        told = self._told[channel]
        if present and user_id not in told:
            told[user_id] = info
            data = {"user_id": user_id, "user_info": info}
            self._fanout.send_now(channel, frame.message("pusher_internal:member_added", data, channel))
        elif not present and user_id in told:
            del told[user_id]
            self._fanout.send_now(
                channel, frame.message("pusher_internal:member_removed", {"user_id": user_id}, channel)
            )

    def _announce(self, changes: list[Change], found: _Found) -> None:
        """Tell the other instances of users who came with their first socket or went with their last."""
        sockets = {(c.channel, c.row.user_id): c.row.socket_id for c in changes if c.row is not None}
        events: list[Event] = [
            PresenceChanged(
                workspace_id=read_channel(channel).workspace_id,
                channel=channel,
                action="member_added" if (channel, user_id) in found.after else "member_removed",
                user_id=user_id,
                user_info=found.after.get((channel, user_id)),
                except_socket_id=sockets.get((channel, user_id)),
            )
            for channel, user_id in found.changed
            if ((channel, user_id) in found.before) != ((channel, user_id) in found.after)
        ]
        if events:
            self._keep(self._publish(events))

    async def _publish(self, events: list[Event]) -> None:
        try:
            await self._publisher.publish_many(events)
        except Unavailable as error:
            # The others find it at their next comparison.
            log.info("presence_not_announced", events=len(events), error=error.code)
