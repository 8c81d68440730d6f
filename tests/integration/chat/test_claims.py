"""What is claimed belongs to one claim, whatever else happens: chat's own parts, with the pumps standing still."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest_asyncio
from blazz_chassis.seal import Sealer
from blazz_chat.channels import Channel, Channels
from blazz_chat.claims import Claims
from blazz_chat.dispatch import URGENT
from blazz_chat.lifecycle import Retries
from blazz_chat.providers.protocol import Outgoing, Unreachable
from blazz_chat.results import Result, Results

from tests.support.polling import until

from .conftest import Build, House, World


class Parts:
    """Claims and results of a channel that is stopped, so that nobody else takes what waits there."""

    def __init__(self, house: House, world: World, channel: Channel, channels: Channels) -> None:
        database = house.chat.database
        self.world, self.channel, self.channels = world, channel, channels
        self.claims = Claims(database, lease=8, hold_back=1, window=20)
        self.results = Results(database, house.chat.outbox, channels, Retries())

    async def asked(self, phone: str) -> UUID:
        """A message that was stored."""
        message_id = await self.world.send(phone)
        await until(lambda: self.world.rows("select 1 from messages where id = $1", message_id))
        return message_id

    async def taken(self) -> list[Outgoing]:
        """What may leave now."""
        return (await self.claims.take(self.channel, URGENT, 10, urgent=True)).messages


MakeParts = Callable[..., Awaitable[Parts]]


@pytest_asyncio.fixture(loop_scope="session")
async def make_parts(house: House, make_channel: Build) -> MakeParts:
    """Makes parts for a channel with limits of the test's choice."""

    async def make(limits: dict[str, Any] | None = None) -> Parts:
        world = await make_channel(limits)
        await world.api("PATCH", f"/channels/{world.channel_id}", json={"state": "stopped"})
        channels = Channels(Sealer(house.settings.seal_key))
        channel = await channels.one(house.chat.database, world.channel_id)
        assert channel is not None
        return Parts(house, world, channel, channels)

    return make


async def test_a_give_back_whose_commit_was_not_heard_of_takes_nothing_from_the_next_claim(
    make_parts: MakeParts,
) -> None:
    parts = await make_parts()
    world = parts.world
    message_id = await parts.asked("+31681000001")
    (first,) = await parts.taken()
    given_back = Result(parts.channel, first, Unreachable("stalled"))
    await parts.results.commit([given_back])
    assert await world.is_in(message_id, "pending")
    (second,) = await parts.taken()
    assert second.attempt == first.attempt
    await parts.results.commit([given_back])  # again: its commit was not heard of
    assert await world.is_in(message_id, "sending")
    assert len((await world.message(message_id))["attempts"]) == 1
    await parts.results.commit([Result(parts.channel, second, Unreachable("stalled"))])
    assert await world.is_in(message_id, "pending")


async def test_a_claim_says_whether_its_attempt_may_have_been_handed_over_before(make_parts: MakeParts) -> None:
    parts = await make_parts()
    await parts.asked("+31681000006")
    claims = []
    for perhaps in (False, True, False, False):
        (claim,) = await parts.taken()
        claims.append(claim)
        outcome = Unreachable("away", perhaps_handed=perhaps)
        await parts.results.commit([Result(parts.channel, claim, outcome)])
    assert [claim.handed_before for claim in claims] == [False, False, True, True]
    assert {claim.attempt for claim in claims} == {1}
    assert claims[1].started_at == claims[3].started_at, "it has no more time for being claimed again"


async def test_a_customer_who_writes_while_a_message_is_refused_by_the_daily_limit_is_answered(
    make_parts: MakeParts,
) -> None:
    parts = await make_parts({"recipients_per_day": 1})
    await parts.asked("+31681000002")
    assert len(await parts.taken()) == 1
    answer = await parts.asked("+31681000003")
    (row,) = await parts.world.rows("select conversation_id from messages where id = $1", answer)
    async with parts.world.chat.database.worker() as connection:
        # What storing a customer's message does; the claim comes before its commit.
        await connection.execute("update conversations set last_inbound_at = now() where id = $1", row[0])
        await connection.execute(
            "update messages set waits_for = null where conversation_id = $1 and waits_for = 'tier'", row[0]
        )
        assert await parts.taken() == []

    async def taken() -> Any:
        await parts.claims.wake()
        return await parts.taken()

    (message,) = await until(taken, within=5)
    assert message.message_id == answer


async def test_whoever_is_refused_by_the_daily_limit_waits_for_the_day_to_pass(make_parts: MakeParts) -> None:
    parts = await make_parts({"recipients_per_day": 1})
    await parts.asked("+31681000004")
    assert len(await parts.taken()) == 1
    message_id = await parts.asked("+31681000005")
    assert await parts.taken() == []
    assert await parts.world.rows(
        "select 1 from messages where id = $1 and waits_for = 'tier' and next_attempt_at > now() + interval '23 hours'",
        message_id,
    )


async def test_the_daily_limit_is_counted_once_a_second_not_at_each_claim(make_parts: MakeParts) -> None:
    parts = await make_parts({"recipients_per_day": 1000})
    counts: set[Any] = set()
    for n in range(20):
        await parts.asked(f"+316810001{n:02d}")
        assert len(await parts.taken()) == 1
        (row,) = await parts.world.rows(
            "select opened, opened_counted_at from channel_buckets where channel_id = $1", parts.world.channel_id
        )
        assert row["opened"] == n + 1
        counts.add(row["opened_counted_at"])
    lasted = (max(counts) - min(counts)).total_seconds()
    assert len(counts) <= lasted + 1


async def test_what_is_counted_and_what_was_added_since_is_the_daily_limit(make_parts: MakeParts) -> None:
    parts = await make_parts({"recipients_per_day": 3, "messages_per_second": 80})
    for n in range(5):
        await parts.asked(f"+316810002{n:02d}")
    taken = [len(await parts.taken()), len(await parts.taken())]
    assert taken == [3, 0]
    # A day later all of them count no more.
    await parts.world.rows(
        "update conversations set business_opened_at = now() - interval '25 hours' where channel_id = $1"
        " and business_opened_at is not null returning 1",
        parts.world.channel_id,
    )
    await until(
        lambda: parts.world.rows(
            "select 1 from channel_buckets where channel_id = $1 and opened_counted_at < now() - interval '1 second'",
            parts.world.channel_id,
        )
    )
    await parts.world.rows(
        "update messages set next_attempt_at = now() where channel_id = $1 and waits_for = 'tier' returning 1",
        parts.world.channel_id,
    )

    async def rest() -> Any:
        await parts.claims.wake()
        return await parts.taken()

    assert len(await until(rest, within=5)) == 2
