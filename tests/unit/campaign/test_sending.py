"""Who has which campaign in hand: leases, slots, an ordered stop. The database is a script here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from blazz_campaign import sending, shipment
from blazz_campaign.sending import Sending
from blazz_campaign.shipment import Pace, Shipment, Turn
from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox
from blazz_chassis.publisher import Publisher

from tests.support.polling import until

PACE = Pace(window=1000, batch=200, lease=15, poll=0.01)


class Leases:
    """Gives these campaigns away, one a look."""

    def __init__(self, campaigns: list[UUID]) -> None:
        self.campaigns = campaigns

    @asynccontextmanager
    async def worker(self) -> AsyncIterator["Leases"]:
        yield self

    async def fetch(self, _sql: str, *_: Any) -> list[dict[str, Any]]:
        if not self.campaigns:
            return []
        return [
            {
                "id": self.campaigns.pop(),
                "workspace_id": uuid4(),
                "channel_id": uuid4(),
                "content": {"type": "text", "body": "Hello"},
                "lease_token": uuid4(),
            }
        ]

    async def fetchval(self, _sql: str, *_: Any) -> int:
        return 0


async def test_a_campaign_taken_again_beside_its_old_shipment_is_waited_for_at_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going: list[asyncio.Event] = []

    async def run(_: Shipment) -> None:
        going.append(asyncio.Event())
        await going[-1].wait()

    monkeypatch.setattr(shipment.Shipment, "run", run)
    campaign_id, stopping = uuid4(), asyncio.Event()
    work = Sending(
        cast("Database", Leases([campaign_id, campaign_id])),
        cast("Publisher", None),
        cast("Outbox", None),
        service="campaign",
        pace=PACE,
        at_once=5,
        stopping=stopping,
    )
    running = asyncio.create_task(work.run())
    # An outage let the lease run out, and this instance took the campaign again before its own shipment noticed.
    await until(lambda: len(going) == 2)
    old, new = going
    old.set()
    await until(lambda: work.at_work == 1)
    stopping.set()
    done, _ = await asyncio.wait({running}, timeout=0.1)
    assert not done
    new.set()
    await asyncio.wait_for(running, 5)


class Script:
    """A database whose turns are known, and a publisher that takes all."""

    timeout = 5.0

    def __init__(self, turns: list[Turn]) -> None:
        self.turns = turns
        self.sent: list[Any] = []

    async def retrying(self, _: Any) -> Turn:
        return self.turns.pop(0)

    async def probe(self) -> None:
        pass

    async def send(self, message: Any) -> None:
        self.sent.append(message)


@pytest.mark.parametrize(("lease", "published"), [(15, 1), (4.9, 0)])
async def test_nothing_is_published_that_the_lease_might_not_outlast(lease: float, published: int) -> None:
    flight = [{"position": 1, "phone": "1", "variables": {}, "message_id": uuid4()}]
    script = Script([Turn(over=False, flight=flight, flight_to=2), Turn(over=True)])
    made = Shipment(
        cast("Database", script),
        cast("Publisher", script),
        cast("Outbox", None),
        campaign_id=uuid4(),
        token=uuid4(),
        requests=sending.Requests(
            campaign_id=uuid4(),
            workspace_id=uuid4(),
            channel_id=uuid4(),
            content={"type": "text", "body": "Hello"},
            app_id="campaign",
        ),
        pace=Pace(window=10, batch=10, lease=lease, poll=0.01),
        stopping=lambda: False,
    )
    await made.run()
    assert len(script.sent) == published
