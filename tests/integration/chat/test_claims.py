"""What is claimed belongs to one claim, whatever else happens: chat's own parts, with the pumps standing still."""

import pytest_asyncio
from blazz_chassis.seal import Sealer
from blazz_chat.channels import Channel, Channels
from blazz_chat.claims import Claims
from blazz_chat.dispatch import URGENT
from blazz_chat.lifecycle import Retries
from blazz_chat.providers.protocol import Unreachable
from blazz_chat.results import Result, Results

from tests.support.polling import until

from .conftest import Build, House, World


class Parts:
    """Claims and results of a channel that is stopped, so that nobody else takes what waits there."""

    def __init__(self, house: House, world: World, channel: Channel, channels: Channels) -> None:
        database = house.chat.database
        self.world, self.channel, self.channels = world, channel, channels
        self.claims = Claims(database, lease=8, hold_back=1)
        self.results = Results(database, house.chat.outbox, channels, Retries())


@pytest_asyncio.fixture(loop_scope="session")
async def parts(house: House, make_channel: Build) -> Parts:
    """Parts with one message that waits."""
    world = await make_channel()
    await world.api("PATCH", f"/channels/{world.channel_id}", json={"state": "stopped"})
    channels = Channels(Sealer(house.settings.seal_key))
    channel = await channels.one(house.chat.database, world.channel_id)
    assert channel is not None
    return Parts(house, world, channel, channels)


async def test_a_give_back_whose_commit_was_not_heard_of_takes_nothing_from_the_next_claim(parts: Parts) -> None:
    world = parts.world
    message_id = await world.send("+31681000001")
    await until(lambda: world.rows("select 1 from messages where id = $1", message_id))
    (first,) = (await parts.claims.take(parts.channel, URGENT, 10, urgent=True)).messages
    given_back = Result(parts.channel, first, Unreachable("stalled"))
    await parts.results.commit([given_back])
    assert await world.is_in(message_id, "pending")
    (second,) = (await parts.claims.take(parts.channel, URGENT, 10, urgent=True)).messages
    assert second.attempt == first.attempt
    await parts.results.commit([given_back])  # again: its commit was not heard of
    assert await world.is_in(message_id, "sending")
    assert len((await world.message(message_id))["attempts"]) == 1
    await parts.results.commit([Result(parts.channel, second, Unreachable("stalled"))])
    assert await world.is_in(message_id, "pending")
