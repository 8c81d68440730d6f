"""What a message says, in the page's words, and whether it may still be said."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from blazz_contracts.content import (
    Audio,
    Contacts,
    Content,
    Document,
    Image,
    Interactive,
    Location,
    Reaction,
    Sticker,
    Template,
    Text,
    Video,
)
from blazz_contracts.events import SessionSend

from blazz_webjs_bridge.page.calls import Send
from blazz_webjs_bridge.refusals import EXPIRED, NO_TARGET, NOT_SUPPORTED, Refused, number_changed

MEDIA: Final = (Image, Video, Audio, Document, Sticker)
# WhatsApp Web's own limits are the phone's; these are the Cloud API's, so that a number may change its way in. Bytes.
LIMITS: Final = {"image": 5_000_000, "video": 16_000_000, "audio": 16_000_000, "sticker": 500_000}
LARGEST: Final = 100_000_000
# WhatsApp Web would send any other file as a document.
_KINDS: Final = {"image": "image/", "video": "video/", "audio": "audio/", "sticker": "image/webp"}
_MENTION = re.compile(r"@(\d{7,15})\b")
_TYPING_SPEED = 12.0  # characters a second of a quick writer
_MOST_TYPING = 15.0  # seconds


def send_of(event: SessionSend, chat: str, message_id: str) -> Send:
    """The call that sends this message to a chat; a file is added by `with_file`. Raises `Refused`."""
    fields: dict[str, Any] = {
        "chat": chat,
        "id": message_id,
        "type": event.content.type,
        "quoted": event.reply_to,
        **_fields(event.content),
    }
    if isinstance(event.content, Reaction):
        if event.target is None:
            raise Refused(NO_TARGET)
        fields["target"] = event.target
    return Send(**fields)


def _fields(content: Content) -> dict[str, Any]:
    match content:
        case Text(body=body, preview_url=preview):
            return {"text": body, "link_preview": preview, "mentions": _MENTION.findall(body)}
        case Image(caption=caption) | Video(caption=caption):
            return {"text": caption}
        case Document(caption=caption, filename=filename):
            return {"text": caption, "filename": filename}
        case Audio() | Sticker():
            return {}
        case Reaction(emoji=emoji):
            return {"emoji": emoji}
        case Location():
            return {"content": content.model_dump(include={"latitude", "longitude", "name", "address"})}
        case Contacts(contacts=contacts):
            return {"content": {"contacts": contacts}}
        case Template() | Interactive():
            raise Refused(NOT_SUPPORTED)


def fits(kind: str, mime_type: str) -> bool:
    """Whether a file of this type can be sent as such a message."""
    return mime_type.startswith(_KINDS.get(kind, ""))


def refuse_late(event: SessionSend, phone: str | None, *, in_doubt: bool = False) -> None:
    """Raise `Refused` when it waited longer than it may, or for another number than `phone`, which is linked now."""
    if event.sender_phone and phone and event.sender_phone != phone:
        raise Refused(number_changed(event.sender_phone, phone, in_doubt=in_doubt))
    if event.expires_at is not None and event.expires_at < datetime.now(UTC):
        raise Refused(EXPIRED)


def typing_seconds(event: SessionSend) -> float:
    """How long a person would type this text."""
    body = event.content.body if isinstance(event.content, Text) else ""
    return min(_MOST_TYPING, len(body) / _TYPING_SPEED)
