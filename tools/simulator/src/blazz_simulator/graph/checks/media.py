"""Image, video, audio, document, sticker: by an uploaded id or by a link."""

from __future__ import annotations

from typing import Any

from ...accounts import Account
from ...media import Library
from ..errors import bad_value, invalid, missing
from .shape import a_string, a_url, an_object, known_keys

CAPTION_MAX = 1024
FILENAME_MAX = 240

_ALLOWED = {
    "image": frozenset({"id", "link", "caption", "provider"}),
    "video": frozenset({"id", "link", "caption", "provider"}),
    "audio": frozenset({"id", "link", "provider", "voice"}),
    "document": frozenset({"id", "link", "caption", "filename", "provider"}),
    "sticker": frozenset({"id", "link", "provider"}),
}

MEDIA_TYPES = tuple(_ALLOWED)


def media(kind: str, data: Any, account: Account, library: Library, name: str | None = None) -> None:
    """`{id | link, caption?, filename?}`; an id must be an upload of this account and of this kind."""
    name = name or kind
    data = an_object(data, name)
    known_keys(data, _ALLOWED[kind], name)
    media_id, link = data.get("id"), data.get("link")
    if media_id is None and link is None:
        raise missing(name, f"Either {name}['id'] or {name}['link'] is required.")
    if media_id is not None and link is not None:
        raise invalid(f"Only one of {name}['id'] and {name}['link'] may be given.")
    if link is not None:
        a_url(link, f"{name}['link']")
    else:
        _upload(kind, media_id, account, library, name)
    if (caption := data.get("caption")) is not None:
        a_string(caption, f"{name}['caption']", CAPTION_MAX, least=0)
    if (filename := data.get("filename")) is not None:
        a_string(filename, f"{name}['filename']", FILENAME_MAX, least=0)


def _upload(kind: str, media_id: Any, account: Account, library: Library, name: str) -> None:
    if isinstance(media_id, int) and not isinstance(media_id, bool):
        media_id = str(media_id)
    upload = library.find(a_string(media_id, f"{name}['id']", 64))
    if upload is None or upload.phone_number_id != account.phone_number_id:
        raise bad_value(f"{name}['id'] is not a valid media attachment ID of this business phone number.")
    if kind not in upload.kinds:
        raise bad_value(f"{name}['id'] is of type {upload.mime_type}, which cannot be sent as {kind}.")
