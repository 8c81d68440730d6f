"""Requests on their way into rows, and what is told of those that were stored or refused."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from blazz_contracts import Event
from blazz_contracts.events import MessageCreated, MessageFailed, MessageRequested
from blazz_contracts.events.message_created import CreatedItem
from blazz_contracts.events.message_failed import FailedItem
from blazz_contracts.message import MAX_ITEMS, Failure, Lane

from blazz_chat import feed
from blazz_chat.channels import Channel
from blazz_chat.people import Person

# Bytes that the contents of one event weigh at most, unless one message alone has more (a request may have 1 MB):
# RabbitMQ 4 closes the channel of who publishes more than 16 MB, and every listener holds an event whole.
_MOST_BYTES = 512 * 1024


@dataclass(slots=True)
class Asked:
    """A request, and what was found for it."""

    request: MessageRequested
    content: dict[str, Any]
    text: str
    channel: Channel | None = None
    person: Person | None = None
    conversation_id: UUID | None = None
    failure: Failure | None = None


def change(row: Asked) -> feed.Change:
    """What the change feed says of it."""
    request = row.request
    return feed.Change(
        request.workspace_id,
        "message",
        request.message_id,
        {
            "id": str(request.message_id),
            "conversation_id": _text(row.conversation_id),
            "contact_id": _text(row.person.id if row.person else None),
            "channel_id": _text(row.channel.id if row.channel else None),
            "direction": "outbound",
            "type": request.content.type,
            "content": row.content,
            "text": row.text,
            "status": "failed" if row.failure else "pending",
            "failure": row.failure.model_dump() if row.failure else None,
            "created_at": request.requested_at.isoformat(),
        },
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def events(rows: list[Asked]) -> list[Event]:
    """One event a workspace for what was stored, and one for what was refused."""
    created: dict[UUID, list[tuple[int, CreatedItem]]] = defaultdict(list)
    failed: dict[UUID, list[FailedItem]] = defaultdict(list)
    for row in rows:
        request = row.request
        if row.failure is not None:
            failed[request.workspace_id].append(_failed(row, row.failure))
        elif request.lane is not Lane.CAMPAIGN and row.conversation_id and row.person and row.channel:
            item = CreatedItem.model_construct(
                message_id=request.message_id,
                conversation_id=row.conversation_id,
                contact_id=row.person.id,
                channel_id=row.channel.id,
                type=request.content.type,
                content=row.content,
                text=row.text,
                origin=request.origin,
                created_at=request.requested_at,
                socket_id=request.socket_id,
            )
            created[request.workspace_id].append((len(orjson.dumps(row.content)) + len(row.text.encode()), item))
    return [
        *(MessageCreated(workspace_id=w, items=part) for w, items in created.items() for part in _light(items)),
        *(MessageFailed(workspace_id=w, items=part) for w, items in failed.items() for part in chunks(items)),
    ]


def _light(weighed: list[tuple[int, CreatedItem]]) -> list[list[CreatedItem]]:
    """Parts of at most as many items as one event may carry, and of no more bytes than it should."""
    parts: list[list[CreatedItem]] = []
    room = 0
    for weight, item in weighed:
        if not parts or weight > room or len(parts[-1]) == MAX_ITEMS:
            parts.append([])
            room = _MOST_BYTES
        parts[-1].append(item)
        room -= weight
    return parts


def _failed(row: Asked, failure: Failure) -> FailedItem:
    return FailedItem(
        message_id=row.request.message_id,
        conversation_id=row.conversation_id,
        contact_id=row.person.id if row.person else None,
        channel_id=row.channel.id if row.channel else None,
        attempt=0,
        at=datetime.now(UTC),
        failure=failure,
        origin=row.request.origin,
    )


def chunks(items: list[Any]) -> list[list[Any]]:
    """Parts of at most as many items as one event may carry."""
    return [items[n : n + MAX_ITEMS] for n in range(0, len(items), MAX_ITEMS)]
