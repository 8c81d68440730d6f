"""One message of a webhook as the payload of `provider.message`."""

from datetime import UTC, datetime
from typing import Any

_TAKEN = frozenset({"id", "from", "to", "from_user_id", "to_user_id", "timestamp", "type", "context"})
# The contract's bounds (blazz_contracts.events.ProviderMessage).
_MAX_ID, _MAX_PHONE, _MAX_USER_ID, _MAX_NAME, _MAX_TYPE = 512, 32, 160, 512, 64
_LATEST = 253_402_300_799  # seconds: the end of the year 9999, the last that a datetime holds


def payload(
    message: Any, contacts: Any, *, echo: bool, now: datetime, told: set[int] | None = None
) -> dict[str, Any] | None:
    """Return the payload, without workspace and channel; None when it is no message that could be kept as one.

    `contacts` is the change's list beside it. Of an unknown type, or with nothing but errors, it is a message too.
    What else is said of a contact goes with their first message alone (`told`: those, by `id()`, of whom it was), or a
    change could become many times its own size.
    """
    if not isinstance(message, dict):
        return None
    identifier = message.get("id")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _MAX_ID:
        return None
    other = "to" if echo else "from"
    phone = _digits(message.get(other))
    user_id = _bounded(message.get(f"{other}_user_id"), _MAX_USER_ID)
    contact = _contact(contacts, phone, user_id)
    user_id = user_id or _bounded(contact.get("user_id"), _MAX_USER_ID)
    phone = phone or _digits(contact.get("wa_id"))
    if phone is None and user_id is None:
        return None
    kind = message.get("type")
    if not isinstance(kind, str) or not 0 < len(kind) <= _MAX_TYPE:
        kind = "unknown"
    context = message.get("context")
    extra = {key: value for key, value in message.items() if key not in _TAKEN and key != kind}
    if context is not None and not isinstance(context, dict):
        extra["context"], context = context, None
    extra |= _unused(message, other)
    if told is None or id(contact) not in told:
        if person := _rest_of(contact):
            extra["contact"] = person
        if told is not None:
            told.add(id(contact))
    return {
        "provider_message_id": identifier,
        "echo": echo,
        "phone": phone,
        "user_id": user_id,
        "profile_name": _profile_name(contact),
        "sent_at": moment(message.get("timestamp")) or now,
        "type": kind,
        "content": _content(kind, message.get(kind)),
        "context": context,
        "extra": extra,
    }


def moment(timestamp: Any) -> datetime | None:
    """WhatsApp's clock: seconds since 1970, as a string or a number."""
    if isinstance(timestamp, str) and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12:
        timestamp = int(timestamp)
    if isinstance(timestamp, bool) or not isinstance(timestamp, int) or not 0 < timestamp <= _LATEST:
        return None
    return datetime.fromtimestamp(timestamp, UTC)


def _content(kind: str, given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    # `contacts` is a list; whatever else is no object is kept under its own name.
    return {} if given is None else {kind: given}


def _contact(contacts: Any, phone: str | None, user_id: str | None) -> dict[str, Any]:
    known = [each for each in contacts if isinstance(each, dict)] if isinstance(contacts, list) else []
    for each in known:
        if (phone is not None and _digits(each.get("wa_id")) == phone) or (
            user_id is not None and each.get("user_id") == user_id
        ):
            return each
    # One person alone can only be the one, whatever form their number has (`from` and `wa_id` differ in Brazil).
    return known[0] if len(known) == 1 else {}


def _profile_name(contact: dict[str, Any]) -> str | None:
    profile = contact.get("profile")
    name = profile.get("name") if isinstance(profile, dict) else None
    return name[:_MAX_NAME] if isinstance(name, str) and name else None


def _unused(message: dict[str, Any], other: str) -> dict[str, Any]:
    """What was said of the message's ends that has no field of its own."""
    rest: dict[str, Any] = {}
    if isinstance(message.get(other), str) and _digits(message[other]) is None:
        rest[other] = message[other]
    own = "from" if other == "to" else "to"
    if own in message:
        rest[own] = message[own]
    return rest


def _rest_of(contact: dict[str, Any]) -> dict[str, Any]:
    """What was said of the person that has no field of its own."""
    person = {key: value for key, value in contact.items() if key not in ("profile", "wa_id", "user_id")}
    profile = contact.get("profile")
    if isinstance(profile, dict) and set(profile) - {"name"}:
        person["profile"] = profile
    return person


def _digits(given: Any) -> str | None:
    if not isinstance(given, str):
        return None
    plain = given.removeprefix("+")
    return plain if 0 < len(plain) <= _MAX_PHONE and plain.isascii() and plain.isdigit() else None


def _bounded(given: Any, longest: int) -> str | None:
    return given if isinstance(given, str) and 0 < len(given) <= longest else None
