"""What nobody asks for any more is forgotten, however much of it there is."""

from typing import Any, cast
from uuid import uuid4

import pytest
from blazz_chassis.errors import DatabaseBusy
from blazz_chat.notices import Notices
from blazz_chat.rounds import Rounds
from blazz_chat.statuses import Statuses

from .conftest import World

NOTICES = """
insert into provider_notices (id, workspace_id, kind, field, value, received_at)
select gen_random_uuid(), $1, 'provider.unrecognized', 'old', '{}', now() - $3 * interval '1 day'
from generate_series(1, $2) returning 1
"""
STRAYS = """
insert into stray_statuses (workspace_id, channel_id, item, received_at)
select $1, $1, '{}', now() - $3 * interval '1 day' from generate_series(1, $2) returning 1
"""


def rounds(world: World, notices: Any, statuses: Any) -> Rounds:
    nothing = cast("Any", None)
    return Rounds(world.chat, world.house.settings, nothing, nothing, nothing, nothing, nothing, statuses, notices)


class Forgetful:
    """Counts how often it is asked to forget; one that is busy cannot."""

    def __init__(self, *, busy: bool = False) -> None:
        self.asked, self._busy = 0, busy

    async def purge(self, **_: Any) -> bool:
        self.asked += 1
        if self._busy:
            raise DatabaseBusy
        return self.asked < 3


async def test_a_purge_that_fails_keeps_nothing_else_from_being_forgotten(world: World) -> None:
    notices, statuses = Forgetful(busy=True), Forgetful()
    await rounds(world, notices, statuses)._purge()
    assert (notices.asked, statuses.asked) == (1, 3)


async def test_old_notices_and_strays_are_forgotten_a_part_at_a_time(world: World) -> None:
    for sql in (NOTICES, STRAYS):
        await world.rows(sql, world.workspace_id, 6000, 31)
        await world.rows(sql, world.workspace_id, 10, 1)
    notices = Notices(world.chat.database)
    assert await notices.purge(days=30), "there is more"
    assert not await notices.purge(days=30)
    (left,) = await world.rows("select count(*) from provider_notices where workspace_id = $1", world.workspace_id)
    assert left[0] == 10
    nothing = cast("Any", None)
    statuses = Statuses(world.chat.database, nothing, nothing, nothing)
    assert await statuses.purge(), "there is more"
    assert not await statuses.purge()
    (left,) = await world.rows("select count(*) from stray_statuses where workspace_id = $1", world.workspace_id)
    assert left[0] == 10


@pytest.mark.parametrize("table", ["provider_notices", "stray_statuses"])
async def test_what_is_old_is_found_by_its_age(world: World, table: str) -> None:
    await world.rows(NOTICES if table == "provider_notices" else STRAYS, uuid4(), 20_000, 1)
    async with world.chat.database.worker() as connection:
        plan = await connection.fetch(
            f"explain select ctid from {table} where received_at < now() - interval '30 days'"
            " order by received_at limit 5000"
        )
    assert f"{table}_by_age" in str(plan)
