"""Who is a member, and from when."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from blazz_notifier.channel_name import read
from blazz_notifier.inbound import Member
from blazz_notifier.presence import Presence, _Found


class Database:
    """Stores nothing, and always well."""

    async def retrying(self, work: Any) -> _Found:
        return _Found(set(), set())


@pytest.mark.parametrize("stays", [True, False])
async def test_only_who_was_admitted_is_stored_again_after_a_lapsed_lease(stays: bool) -> None:
    socket: Any = SimpleNamespace(socket_id="1.1", memberships={})
    registry: Any = SimpleNamespace(sockets={"1.1": socket}, has=lambda _: False)
    nothing: Any = None
    presence = Presence(
        Database(),  # type: ignore[arg-type]
        nothing,
        registry,
        nothing,
        instance_id=uuid4(),
        max_members=10,
        patience=1,
    )
    presence.leased.set()
    channel = read(f"presence-workspace.{uuid4()}")
    row = presence.membership(socket, channel, Member("1", None))
    # Whoever left while they joined is not admitted, when the line comes to them.
    await presence.join(socket, row, lambda: stays)
    assert socket.memberships == ({channel.name: row} if stays else {})
    await presence.line.close()
