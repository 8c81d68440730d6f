"""A message on its way in: whom it is from, what it shows, and what is told of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from blazz_chassis.ids import uuid7
from blazz_contracts import Event
from blazz_contracts.events import ContactUpdated, MessageReceived, ProviderMessage

from blazz_chat import feed
from blazz_chat.people import Address, Person
from blazz_chat.shown import shown
from blazz_chat.storable import storable
from blazz_chat.web import GROUP

# WhatsApp's own notices (a new number, a new security code) open no window and wait for no answer.
_NOT_WRITTEN = frozenset({"system"})
# A call waits for an answer, and is no message that opens a window.
_NO_WINDOW = frozenset({"call"})
_MAX_GROUP, _MAX_NAME = 128, 512
_MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker", "voice"})


class Arrival:
    """One message on its way in."""

    def __init__(self, event: ProviderMessage) -> None:
        self.id = uuid7()
        self.event = event
        self.content: dict[str, Any] = storable(event.content)
        self.name: str | None = storable(event.profile_name)
        self.text = shown(event.type, self.content)
        self.address = self._address()
        self.person: Person | None = None
        self.conversation_id: UUID | None = None
        self.media_id: UUID | None = None
        if event.context:
            self.content["context"] = storable(event.context)
        if event.extra:
            self.content["extra"] = storable(event.extra)
        # What the bridge brings has been stored already, and names it.
        if event.type in _MEDIA_TYPES and isinstance(self.content.get("id"), str) and "media_id" not in self.content:
            self.media_id = uuid7()
            self.content["media_id"] = str(self.media_id)

    def _address(self) -> Address:
        event = self.event
        group, name = _group(event.extra.get("group"))
        if group is None:
            # On an echo the name is nobody's who wrote it.
            named = None if event.echo else self.name
            return Address(event.workspace_id, event.phone, event.user_id, named, event.lid)
        # In a group's conversation everybody is an author; who it was stays with the message.
        self.content["author"] = storable({"phone": event.phone, "lid": event.lid, "name": event.profile_name})
        self.name = name
        return Address(event.workspace_id, profile_name=name, lid=group)

    @property
    def written(self) -> bool:
        """Whether a customer wrote it, or called: it waits for an answer."""
        return not self.event.echo and self.event.type not in _NOT_WRITTEN

    @property
    def opens_window(self) -> bool:
        """Whether free-form messages are allowed for a while from now."""
        return self.written and self.event.type not in _NO_WINDOW

    @property
    def answers(self) -> str | None:
        """WhatsApp's id of the message that this one answers or reacts to."""
        target = (self.event.context or {}).get("id") or self.content.get("message_id")
        return storable(target) if isinstance(target, str) else None

    @property
    def filename(self) -> str | None:
        """Of the file it brings."""
        name = self.content.get("filename")
        return name if isinstance(name, str) else None


def _group(told: Any) -> tuple[str | None, str | None]:
    """The id and the name of the group it was written in."""
    if isinstance(told, dict):
        told, name = told.get("id"), told.get("name")
    else:
        name = None
    if not isinstance(told, str) or not told.endswith(GROUP):
        return None, None
    return storable(told)[:_MAX_GROUP], storable(name)[:_MAX_NAME] if isinstance(name, str) else None


def changes(row: Arrival, now: datetime) -> list[feed.Change]:
    """What the change feed says of it."""
    event = row.event
    message = feed.Change(
        event.workspace_id,
        "message",
        row.id,
        {
            "id": str(row.id),
            "conversation_id": str(row.conversation_id) if row.conversation_id else None,
            "contact_id": str(row.person.id) if row.person else None,
            "channel_id": str(event.channel_id),
            "direction": "outbound" if event.echo else "inbound",
            "type": event.type,
            "content": row.content,
            "text": row.text,
            "status": "received",
            "failure": None,
            "provider_message_id": event.provider_message_id,
            "created_at": now.isoformat(),
        },
    )
    if row.person is None or not row.person.created:
        return [message]
    address = row.address
    contact = {"phone": address.phone, "user_id": address.user_id, "lid": address.lid, "name": row.name}
    return [feed.Change(event.workspace_id, "contact", row.person.id, contact), message]


def events(rows: list[Arrival], learned: set[UUID], now: datetime) -> list[Event]:
    """What other services are told of a batch."""
    told: list[Event] = []
    announced: set[UUID] = set()
    for row in rows:
        event, person = row.event, row.person
        if person is None or row.conversation_id is None:
            continue
        if (person.created or person.id in learned) and person.id not in announced:
            announced.add(person.id)
            told.append(
                ContactUpdated(
                    workspace_id=event.workspace_id,
                    contact_id=person.id,
                    created=person.created,
                    display_name=person.name or row.name,
                    phone=f"+{number}" if (number := person.phone or row.address.phone) else None,
                    user_id=person.user_id or row.address.user_id,
                    marketing_opt_out=person.marketing_opt_out,
                )
            )
        told.append(
            MessageReceived(
                workspace_id=event.workspace_id,
                message_id=row.id,
                conversation_id=row.conversation_id,
                contact_id=person.id,
                channel_id=event.channel_id,
                provider_message_id=event.provider_message_id,
                direction="outbound" if event.echo else "inbound",
                type=event.type,
                content=row.content,
                text=row.text,
                contact_name=person.name or row.name,
                sent_at=event.sent_at,
                created_at=now,
            )
        )
    return told
