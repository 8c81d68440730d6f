"""A webhook becomes facts: every entry, every change, every message and status; what has no name is unrecognized.

Pure: who owns which number is handed in. Nothing that parses as JSON is lost, whatever its shape.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from blazz_contracts import Event
from blazz_contracts.events import (
    ProviderAccount,
    ProviderMessage,
    ProviderPreference,
    ProviderStatus,
    ProviderTemplate,
    ProviderUnrecognized,
)
from blazz_contracts.message import MAX_ITEMS

from blazz_gateway.webhooks import incoming_message, incoming_status
from blazz_gateway.webhooks.fact import Fact

MESSAGES, ECHOES = "messages", "smb_message_echoes"
_NAMED: dict[str, type[Event]] = {
    "account_alerts": ProviderAccount,
    "account_review_update": ProviderAccount,
    "account_settings_update": ProviderAccount,
    "account_update": ProviderAccount,
    "business_capability_update": ProviderAccount,
    "business_status_update": ProviderAccount,
    "phone_number_name_update": ProviderAccount,
    "phone_number_quality_update": ProviderAccount,
    "security": ProviderAccount,
    "message_template_components_update": ProviderTemplate,
    "message_template_quality_update": ProviderTemplate,
    "message_template_status_update": ProviderTemplate,
    "template_category_update": ProviderTemplate,
    "template_correct_category_detection": ProviderTemplate,
    "user_preferences": ProviderPreference,
}
_OF_MESSAGES = frozenset({"messaging_product", "metadata", "contacts", "messages", "message_echoes", "statuses"})
_MAX_FIELD = 128
MOST_UPDATES = 1_000
"""Messages, statuses and other changes in a webhook; Meta bundles at most 1,000 (Graph API, "Webhooks")."""
MOST_NUMBERS = 100
"""Numbers named in a webhook: more than a workspace connects, and each is looked up."""
_PHONE_NUMBER_ID = re.compile(r"[0-9]{5,32}")


@dataclass(slots=True)
class Split:
    """Collects the facts of one webhook."""

    workspace_id: UUID
    own_channel: UUID
    channels: Mapping[str, UUID]
    """The workspace's channels by phone_number_id."""
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    facts: list[Fact] = field(default_factory=list)
    statuses: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, kind: type[Event], **payload: Any) -> None:
        """Add a fact."""
        self.facts.append(Fact(kind, {"workspace_id": self.workspace_id, **payload}))

    def notice(self, kind: type[Event], channel_id: UUID | None, name: str, value: Any) -> None:
        """Add a fact that carries the provider's own object whole."""
        whole = value if isinstance(value, dict) else {"value": value}
        self.add(kind, channel_id=channel_id, field=name[:_MAX_FIELD], value=whole, received_at=self.received_at)

    def finished(self) -> list[Fact]:
        """All facts; statuses grouped by channel, 1 to 500 a fact."""
        for channel_id, items in self.statuses.items():
            for start in range(0, len(items), MAX_ITEMS):
                self.add(ProviderStatus, channel_id=channel_id, items=items[start : start + MAX_ITEMS])
        return self.facts


def numbers_named(webhook: Any) -> set[str]:
    """The phone number ids that the webhook names; what cannot be one is nobody's, and not among them."""
    named = {_number(change.get("value")) for change in _changes(webhook)}
    return {number for number in named if number is not None and _PHONE_NUMBER_ID.fullmatch(number)}


def too_much(webhook: Any) -> bool:
    """Whether it holds more than a webhook of WhatsApp's does, so that it is kept as a whole and not looked into."""
    updates = 0
    entries = webhook.get("entry") if isinstance(webhook, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        changes = entry.get("changes") if isinstance(entry, dict) else None
        for change in changes if isinstance(changes, list) and changes else (None,):
            value = change.get("value") if isinstance(change, dict) else None
            updates += max(1, _count(value)) if isinstance(value, dict) else 1
        if updates > MOST_UPDATES:
            return True
    return len(numbers_named(webhook)) > MOST_NUMBERS


def whole(webhook: Any, *, workspace_id: UUID, own_channel: UUID) -> list[Fact]:
    """The webhook as one fact that says nothing of what is in it."""
    result = Split(workspace_id, own_channel, {})
    result.notice(ProviderUnrecognized, own_channel, "webhook", webhook)
    return result.finished()


def split(webhook: Any, *, workspace_id: UUID, own_channel: UUID, channels: Mapping[str, UUID]) -> list[Fact]:
    """Return the facts of a webhook that came by `own_channel`'s address.

    `channels` are the workspace's own, by phone_number_id; numbers of nobody's are unrecognized.
    """
    result = Split(workspace_id, own_channel, channels)
    entries = webhook.get("entry") if isinstance(webhook, dict) else None
    if not isinstance(entries, list) or not entries:
        result.notice(ProviderUnrecognized, own_channel, "webhook", webhook)
        return result.finished()
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list) or not changes:
            result.notice(ProviderUnrecognized, own_channel, "entry", entry)
            continue
        for change in changes:
            _split_change(result, change)
    return result.finished()


def _split_change(result: Split, change: Any) -> None:
    name = change.get("field") if isinstance(change, dict) else None
    value = change.get("value") if isinstance(change, dict) else None
    if not isinstance(name, str):
        result.notice(ProviderUnrecognized, result.own_channel, "change", change)
        return
    number = _number(value)
    channel_id = result.own_channel if number is None else result.channels.get(number)
    if not isinstance(value, dict):
        result.notice(ProviderUnrecognized, channel_id, name, value)
    elif name in (MESSAGES, ECHOES):
        # Without a number we know there is no conversation to put it into.
        if number is None or channel_id is None:
            result.notice(ProviderUnrecognized, channel_id, name, value)
        else:
            _split_messages(result, name, channel_id, value)
    else:
        result.notice(_NAMED.get(name, ProviderUnrecognized), channel_id, name, value)


def _split_messages(result: Split, name: str, channel_id: UUID, value: dict[str, Any]) -> None:
    frame = {key: each for key, each in value.items() if key not in ("messages", "message_echoes", "statuses")}
    # What cannot be read of the messages and statuses, together with the frame: that is there once, however many it is.
    rest: dict[str, list[Any]] = {}
    told: set[int] = set()
    for key in ("messages", "message_echoes"):
        for message in _items(value, key):
            echo = key == "message_echoes" or name == ECHOES
            payload = incoming_message.payload(
                message, value.get("contacts"), echo=echo, now=result.received_at, told=told
            )
            if payload is None:
                rest.setdefault(key, []).append(message)
            else:
                result.add(ProviderMessage, channel_id=channel_id, **payload)
    for status in _items(value, "statuses"):
        item, whole = incoming_status.item(status, now=result.received_at)
        if item is not None:
            result.statuses.setdefault(channel_id, []).append(item)
        if not whole:
            rest.setdefault("statuses", []).append(status)
    if _count(value) == 0:
        result.notice(ProviderUnrecognized, channel_id, name, value)
    elif rest or any(key not in _OF_MESSAGES for key in frame):
        # Beside the messages there may be something that we have no name for, such as `errors` of the whole change.
        result.notice(ProviderUnrecognized, channel_id, name, {**frame, **rest})


def _count(value: dict[str, Any]) -> int:
    """How many messages and statuses a change has."""
    given = (value.get(key) for key in ("messages", "message_echoes", "statuses"))
    return sum(len(each) if isinstance(each, list) else 1 for each in given if each is not None)


def _items(value: dict[str, Any], key: str) -> Iterator[Any]:
    given = value.get(key)
    if isinstance(given, list):
        yield from given
    elif given is not None:
        yield given


def _changes(webhook: Any) -> Iterator[dict[str, Any]]:
    entries = webhook.get("entry") if isinstance(webhook, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        changes = entry.get("changes") if isinstance(entry, dict) else None
        for change in changes if isinstance(changes, list) else ():
            if isinstance(change, dict):
                yield change


def _number(value: Any) -> str | None:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    return number if isinstance(number, str) and number else None
