"""Doubt: a message whose outcome nobody told, and of which it cannot be said that it was not sent, is `unconfirmed`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_chassis.outbox import Outbox, Receipt
from blazz_contracts.message import Status

from blazz_chat import feed, rows
from blazz_chat.telling import events


async def doubt(connection: Any, outbox: Outbox, messages: Sequence[UUID]) -> Receipt:
    """Make these `unconfirmed` and tell it, in the caller's transaction; send the receipt after its commit."""
    states = await rows.lock(connection, list(messages))
    now = datetime.now(UTC)
    for row in states.values():
        row.state.status, row.state.changed = Status.UNCONFIRMED, True
        row.state.steps.append((Status.UNCONFIRMED, now))
    await rows.save(connection, list(states.values()), hold_back=0)
    receipt = await outbox.add(connection, events(states.values()))
    await feed.append(connection, rows.changes(states.values()))
    return receipt
