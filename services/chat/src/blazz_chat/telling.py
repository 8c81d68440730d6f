"""What other services are told of messages that changed: one event a workspace and kind, with items."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from blazz_contracts import Event
from blazz_contracts.events import MessageFailed, MessageSent, StatusUpdated
from blazz_contracts.events.message_failed import FailedItem
from blazz_contracts.events.message_sent import SentItem
from blazz_contracts.events.status_updated import UpdatedItem
from blazz_contracts.message import MAX_ITEMS, Failure, Status

from blazz_chat.rows import Row

_UNSAID = Failure(code="failed", title="The message failed.")


def events(rows: Iterable[Row]) -> list[Event]:
    """The events of a batch. `message.sent` comes before what follows from it."""
    sent: dict[UUID, list[SentItem]] = defaultdict(list)
    failed: dict[UUID, list[FailedItem]] = defaultdict(list)
    updated: dict[UUID, list[UpdatedItem]] = defaultdict(list)
    for row in rows:
        state = row.state
        # The values come from typed rows: validating them again would cost more than all else here.
        common: dict[str, Any] = {
            "message_id": state.id,
            "conversation_id": row.conversation_id,
            "contact_id": row.contact_id,
            "channel_id": row.channel_id,
            "origin": row.origin,
        }
        for status, at in state.steps:
            if status is Status.SENT:
                sent[state.workspace_id].append(
                    SentItem.model_construct(
                        **common,
                        attempt=state.attempt,
                        provider_message_id=state.provider_message_id or "",
                        at=at,
                    )
                )
            elif status is Status.FAILED:
                failed[state.workspace_id].append(
                    FailedItem.model_construct(**common, attempt=state.attempt, at=at, failure=state.failure or _UNSAID)
                )
            else:
                updated[state.workspace_id].append(UpdatedItem.model_construct(**common, status=status, at=at))
    return [
        *(
            MessageSent.model_construct(workspace_id=w, items=part)
            for w, items in sent.items()
            for part in _parts(items)
        ),
        *(
            MessageFailed.model_construct(workspace_id=w, items=part)
            for w, items in failed.items()
            for part in _parts(items)
        ),
        *(
            StatusUpdated.model_construct(workspace_id=w, items=part)
            for w, items in updated.items()
            for part in _parts(items)
        ),
    ]


def _parts(items: list[Any]) -> list[list[Any]]:
    return [items[n : n + MAX_ITEMS] for n in range(0, len(items), MAX_ITEMS)]
