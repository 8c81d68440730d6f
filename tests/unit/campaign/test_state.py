"""What follows what, and how fast."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from blazz_campaign.row import Campaign
from blazz_campaign.settings import Settings
from blazz_campaign.shipment import Pace
from blazz_campaign.state import PLACE, RECIPIENT_STATES, shown
from blazz_chassis.ids import uuid7
from blazz_contracts.message import RANK, Status
from pydantic import ValidationError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def campaign(state: str = "sending", *, frozen: bool = True, **counts: int) -> Campaign:
    """A locked campaign."""
    fields: dict[str, Any] = dict.fromkeys(
        ("state_reason", "flight_to", "lease_token", "started_at", "finished_at"), None
    )
    return Campaign(
        id=uuid7(),
        workspace_id=uuid7(),
        name="Sale",
        channel_id=uuid7(),
        state=state,
        counts=Counter(counts),
        duplicates=0,
        invalid=0,
        invalid_rows=[],
        job_id=uuid7(),
        frozen_at=NOW if frozen else None,
        cursor=0,
        leased=False,
        created_at=NOW,
        now=NOW,
        **fields,
    )


def test_recipients_move_in_the_order_in_which_messages_do() -> None:
    told = [state for state in RECIPIENT_STATES if state in set(Status)]
    assert told == sorted(told, key=lambda state: RANK[Status(state)])
    assert PLACE["queued"] < PLACE["cancelled"] < PLACE["requested"] < PLACE["unconfirmed"]


def test_what_is_shown_adds_up_to_the_total() -> None:
    counts = shown({state: n + 1 for n, state in enumerate(RECIPIENT_STATES)}).model_dump()
    assert counts.pop("total") == sum(counts.values()) == 45


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (campaign(sent=1, failed=1), "completed"),
        (campaign("paused", sent=1), "completed"),
        (campaign(queued=1, sent=1), "sending"),
        (campaign(requested=1), "sending"),
        (campaign("cancelled", cancelled=1), "cancelled"),
        (campaign("draft", failed=1), "draft"),
        (campaign("paused", frozen=False), "paused"),
    ],
)
def test_it_is_completed_when_nobody_is_queued_or_waited_for(before: Campaign, after: str) -> None:
    before.settle()
    assert before.state == after
    assert (before.finished_at == NOW) == (after == "completed")


def test_a_change_of_state_or_counts_is_noticed_and_nothing_else() -> None:
    one = campaign(queued=2)
    one.cursor = 7
    assert not one.moved
    one.move("queued", "requested")
    assert one.moved
    assert not one.turned
    one.to("paused", "Paused by hand.")
    assert one.turned


def test_the_pace_keeps_the_window_and_does_not_bother_for_small_change() -> None:
    pace = Pace(window=100, batch=40, lease=15, poll=1)
    assert pace.wanted(campaign(queued=300)) == 40
    assert pace.wanted(campaign(queued=7)) == 7
    assert pace.wanted(campaign(queued=300, requested=80)) == 20
    assert pace.wanted(campaign(queued=300, requested=81)) == 0
    assert pace.wanted(campaign(queued=5, requested=95)) == 5
    assert pace.wanted(campaign(queued=5, requested=96)) == 0
    assert Pace(window=1, batch=200, lease=15, poll=1).wanted(campaign(queued=3)) == 1


def test_a_lease_that_cannot_hold_while_a_batch_is_published_is_refused() -> None:
    with pytest.raises(ValidationError, match="BLAZZ_PUBLISH_TIMEOUT"):
        Settings(campaign_lease=5, publish_timeout=5)
