"""Between the two ways to write a message down: the Cloud API's objects and WhatsApp Web's fields."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ..media import Library

MEDIA = ("image", "video", "audio", "document", "sticker")

_TYPES = {"chat": "text", "ptt": "audio", "vcard": "contacts", "multi_vcard": "contacts"}


def cloud_type(type_: str) -> str:
    """Return the Cloud API's name of a WhatsApp Web type."""
    return _TYPES.get(type_, type_)


def cloud_body(type_: str, raw: dict[str, Any]) -> Any:
    """Return the fields of a WhatsApp Web message as the Cloud API's object of its type."""
    if type_ == "chat":
        return {"body": raw.get("body") or ""}
    if type_ in MEDIA or type_ == "ptt":
        return _media(type_, raw)
    if type_ == "location":
        name, _, address = (raw.get("loc") or "").partition("\n")
        shown = {"latitude": raw.get("lat"), "longitude": raw.get("lng"), "name": name, "address": address}
        return {field: value for field, value in shown.items() if value not in (None, "")}
    if type_ == "vcard":
        return [_contact(raw.get("vcardFormattedName"), raw.get("body") or "")]
    if type_ == "multi_vcard":
        return [_contact(card.get("displayName"), card.get("vcard") or "") for card in raw.get("vcardList") or []]
    return {field: value for field, value in raw.items() if isinstance(value, str | int | float | bool)}


def _media(type_: str, raw: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "id": (raw.get("directPath") or "").rsplit("/", 1)[-1] or None,
        "mime_type": raw.get("mimetype"),
        "sha256": raw.get("filehash"),
        "size": raw.get("size"),
        "filename": raw.get("filename"),
        "caption": raw.get("caption") if raw.get("isCaptionByUser", True) else None,
    }
    shown = {field: value for field, value in shown.items() if value not in (None, "")}
    if type_ in ("audio", "ptt"):
        shown["voice"] = type_ == "ptt"
    if type_ == "video" and raw.get("isGif"):
        shown["gif"] = True
    return shown


def _contact(name: str | None, vcard: str) -> dict[str, Any]:
    phones = [
        line.rsplit(":", 1)[-1].strip() for line in vcard.splitlines() if line.upper().startswith(("TEL", "ITEM1.TEL"))
    ]
    return {
        "name": {"formatted_name": name or ""},
        "phones": [{"phone": phone} for phone in phones],
        "vcard": vcard,
    }


def web_fields(type_: str, body: Any, library: Library) -> tuple[str, dict[str, Any]]:
    """Return a Cloud API object as WhatsApp Web's type and fields."""
    return _FIELDS.get(type_, _unknown)(type_, body, library)


def _text(_: str, body: Any, __: Library) -> tuple[str, dict[str, Any]]:
    return "chat", {"body": body["body"]}


def _file(type_: str, body: Any, library: Library) -> tuple[str, dict[str, Any]]:
    upload = library.find(str(body.get("id")))
    fields: dict[str, Any] = {
        "mimetype": body.get("mime_type"),
        "filehash": body.get("sha256"),
        "directPath": f"/web/media/{body.get('id')}",
        "mediaKey": base64.b64encode(b"simulated media key, 32 bytes ..").decode(),
        "size": 0 if upload is None else upload.size,
    }
    if body.get("caption"):
        fields |= {"caption": body["caption"], "isCaptionByUser": True}
    if type_ == "document":
        fields["filename"] = body.get("filename") or "document"
        fields.setdefault("caption", fields["filename"])
    if type_ == "audio":
        return ("ptt" if body.get("voice", True) else "audio"), fields | {"duration": 1}
    return type_, fields


def _place(_: str, body: Any, __: Library) -> tuple[str, dict[str, Any]]:
    words = [str(body[field]) for field in ("name", "address") if body.get(field)]
    return "location", {"lat": body.get("latitude"), "lng": body.get("longitude"), "loc": "\n".join(words)}


def vcard_of(contact: dict[str, Any]) -> str:
    """Return a contact as the vCard WhatsApp sends."""
    name = str((contact.get("name") or {}).get("formatted_name") or "")
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{name};;;", f"FN:{name}"]
    for phone in contact.get("phones") or []:
        number = str(phone.get("phone") or "")
        lines.append(f"TEL;type=CELL;waid={''.join(c for c in number if c.isdigit())}:{number}")
    return "\n".join([*lines, "END:VCARD"])


def _contacts(_: str, body: Any, __: Library) -> tuple[str, dict[str, Any]]:
    cards = [
        {"displayName": str((contact.get("name") or {}).get("formatted_name") or ""), "vcard": vcard_of(contact)}
        for contact in body
    ]
    if len(cards) == 1:
        return "vcard", {"body": cards[0]["vcard"], "vcardFormattedName": cards[0]["displayName"]}
    return "multi_vcard", {"vcardList": cards}


def _unknown(_: str, __: Any, ___: Library) -> tuple[str, dict[str, Any]]:
    return "unknown", {}


_FIELDS: dict[str, Callable[[str, Any, Library], tuple[str, dict[str, Any]]]] = {
    "text": _text, "location": _place, "contacts": _contacts, **dict.fromkeys(MEDIA, _file),
}  # fmt: skip
