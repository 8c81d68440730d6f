"""Messages that who wrote them edited or took back: the earlier message says so, once, whoever wrote it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from blazz_chassis.database import Connection
from blazz_contracts.events import MessageChanged, ProviderMessage

from blazz_chat import feed
from blazz_chat.shown import MAX_SHOWN, REVOKED
from blazz_chat.storable import storable

CORRECTIONS = frozenset({"edit", "revoke"})
# In the words of each type, what an edit changes.
_EDITED = {"text": "body", "image": "caption", "video": "caption", "document": "caption"}

# Under WhatsApp's id: theirs by the message itself, ours by the attempt that sent it. In the order of ids, as everybody
# locks messages.
_TARGETS = """
select m.id, m.workspace_id, m.channel_id, m.conversation_id, m.contact_id, m.direction, m.type, m.content, m.text,
       m.status, m.edited_at, m.revoked_at, f.provider_message_id
from (
    select m.id, m.channel_id, m.provider_message_id from messages m
    join unnest($1::uuid[], $2::text[]) w (channel_id, id)
      on m.channel_id = w.channel_id and m.provider_message_id = w.id and m.origin_kind is null
    union
    select a.message_id, a.channel_id, a.provider_message_id from attempts a
    join unnest($1::uuid[], $2::text[]) w (channel_id, id)
      on a.channel_id = w.channel_id and a.provider_message_id = w.id
) f join messages m on m.id = f.id and m.conversation_id is not null
order by m.id for update of m
"""
_SAVE = """
update messages m set content = c.content, text = c.text, edited_at = c.edited_at, revoked_at = c.revoked_at
from unnest($1::uuid[], $2::jsonb[], $3::text[], $4::timestamptz[], $5::timestamptz[])
     c (id, content, text, edited_at, revoked_at)
where m.id = c.id
"""


@dataclass(slots=True)
class Corrected:
    """An earlier message, as it is after what was told."""

    id: UUID
    workspace_id: UUID
    channel_id: UUID
    conversation_id: UUID
    contact_id: UUID
    direction: str
    type: str
    status: str
    content: dict[str, Any]
    text: str
    edited_at: datetime | None
    revoked_at: datetime | None
    change: Literal["edited", "revoked"] | None = None

    def apply(self, event: ProviderMessage) -> None:
        """Late and repeated news changes nothing; what was taken back is not edited any more."""
        if self.revoked_at is not None:
            return
        if event.type == "revoke":
            self.change, self.revoked_at = "revoked", event.sent_at
            self.content, self.text = {}, REVOKED
            return
        text = _text_of(event)
        if text is None or text == self.text or (self.edited_at is not None and event.sent_at < self.edited_at):
            return
        self.change, self.edited_at, self.text = "edited", event.sent_at, text[:MAX_SHOWN]
        word = _EDITED.get(self.type)
        if word is not None:
            self.content = {**self.content, word: text}

    def told(self) -> MessageChanged:
        """What other services are told."""
        at = self.revoked_at if self.change == "revoked" else self.edited_at
        assert self.change is not None
        assert at is not None
        return MessageChanged(
            workspace_id=self.workspace_id,
            message_id=self.id,
            conversation_id=self.conversation_id,
            contact_id=self.contact_id,
            channel_id=self.channel_id,
            change=self.change,
            content=self.content,
            text=self.text,
            at=at,
        )

    def fed(self) -> feed.Change:
        """What the change feed says."""
        return feed.Change(
            self.workspace_id,
            "message",
            self.id,
            {
                "id": str(self.id),
                "conversation_id": str(self.conversation_id),
                "contact_id": str(self.contact_id),
                "channel_id": str(self.channel_id),
                "direction": self.direction,
                "type": self.type,
                "content": self.content,
                "text": self.text,
                "status": self.status,
                "edited_at": self.edited_at.isoformat() if self.edited_at else None,
                "revoked_at": self.revoked_at.isoformat() if self.revoked_at else None,
            },
        )


def target_of(event: ProviderMessage) -> tuple[UUID, str] | None:
    """The channel, and WhatsApp's id of the message that this corrects; None when it is no correction."""
    target = event.content.get("message_id")
    if event.type not in CORRECTIONS or not isinstance(target, str):
        return None
    return event.channel_id, storable(target)


def of(event: ProviderMessage) -> tuple[str, UUID, str] | None:
    """What it does, and to which message; None when it is no correction."""
    target = target_of(event)
    return None if target is None else (event.type, *target)


async def known(connection: Connection, targets: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], Corrected]:
    """The earlier messages that these ids name, locked."""
    if not targets:
        return {}
    rows = await connection.fetch(_TARGETS, [t[0] for t in targets], [t[1] for t in targets])
    one: dict[UUID, Corrected] = {}
    return {(row["channel_id"], row["provider_message_id"]): one.setdefault(row["id"], _corrected(row)) for row in rows}


async def save(connection: Connection, corrected: list[Corrected]) -> None:
    """Write back what changed."""
    if corrected:
        await connection.execute(
            _SAVE,
            [c.id for c in corrected],
            [c.content for c in corrected],
            [c.text for c in corrected],
            [c.edited_at for c in corrected],
            [c.revoked_at for c in corrected],
        )


def _text_of(event: ProviderMessage) -> str | None:
    for word in ("text", "body", "caption"):
        text = event.content.get(word)
        if isinstance(text, dict):
            text = text.get("body")
        if isinstance(text, str):
            found: str = storable(text)
            return found
    return None


def _corrected(row: Any) -> Corrected:
    return Corrected(
        id=row["id"],
        workspace_id=row["workspace_id"],
        channel_id=row["channel_id"],
        conversation_id=row["conversation_id"],
        contact_id=row["contact_id"],
        direction=row["direction"],
        type=row["type"],
        status=row["status"],
        content=row["content"],
        text=row["text"],
        edited_at=row["edited_at"],
        revoked_at=row["revoked_at"],
    )
