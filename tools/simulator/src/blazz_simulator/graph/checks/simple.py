"""Text, reaction, location, contacts."""

from __future__ import annotations

from typing import Any

from ..errors import bad_value, invalid, missing
from .shape import a_number, a_string, an_object, known_keys, maybe_string, objects

TEXT_MAX = 4096
"""Characters of a text message (Meta: "Text messages")."""

_TEXT = frozenset({"body", "preview_url"})
_REACTION = frozenset({"message_id", "emoji"})
_LOCATION = frozenset({"latitude", "longitude", "name", "address"})
_CONTACT = frozenset({"addresses", "birthday", "emails", "name", "org", "phones", "urls"})
_NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")


def text(data: Any) -> None:
    """`{body, preview_url?}`."""
    data = an_object(data, "text")
    body = data.get("body")
    if type(body) is not str or not 1 <= len(body) <= TEXT_MAX:
        if isinstance(body, str) and body:
            raise invalid(f"Param text['body'] must be at most {TEXT_MAX} characters long.")
        if body is not None and not isinstance(body, str):
            raise invalid("Param text['body'] must be a string.")
        raise missing("text['body']", "The parameter text['body'] is required.")
    if not body.strip():
        raise bad_value("text['body'] must not be blank.")
    if len(data) > 1:
        known_keys(data, _TEXT, "text")
        preview = data.get("preview_url")
        if preview is not None and preview not in (True, False, "true", "false"):
            raise invalid("Param text['preview_url'] must be a boolean.")


def reaction(data: Any) -> None:
    """`{message_id, emoji}`; an empty emoji takes the reaction back."""
    data = an_object(data, "reaction")
    known_keys(data, _REACTION, "reaction")
    a_string(data.get("message_id"), "reaction['message_id']", 512)
    emoji = data.get("emoji")
    if emoji is None:
        raise missing("reaction['emoji']")
    a_string(emoji, "reaction['emoji']", 32, least=0)
    if emoji.isascii() and emoji:
        raise bad_value("reaction['emoji'] must be an emoji.")


def location(data: Any) -> None:
    """`{latitude, longitude, name?, address?}` in degrees."""
    data = an_object(data, "location")
    known_keys(data, _LOCATION, "location")
    a_number(data.get("latitude"), "location['latitude']", -90, 90)
    a_number(data.get("longitude"), "location['longitude']", -180, 180)
    maybe_string(data, "name", "location['name']", 1000)
    maybe_string(data, "address", "location['address']", 1000)


def contacts(data: Any) -> None:
    """`[{name: {formatted_name, ...}, phones?, emails?, ...}]`, at most 257 of them (Meta's limit)."""
    for where, contact in objects(data, "contacts", 1, 257):
        known_keys(contact, _CONTACT, where)
        name = an_object(contact.get("name"), f"{where}['name']")
        a_string(name.get("formatted_name"), f"{where}['name']['formatted_name']", 1024)
        if not any(isinstance(name.get(part), str) and name[part] for part in _NAME_PARTS):
            raise missing(
                f"{where}['name']", "At least one of first_name, last_name, middle_name, suffix, prefix is needed."
            )
        for field in ("phones", "emails", "urls", "addresses"):
            for _ in objects(contact.get(field, []), f"{where}['{field}']", 0, 100):
                pass
