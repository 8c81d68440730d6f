"""One status of a webhook as an item of `provider.status`. The hottest loop of the gateway: plain checks, no models."""

from datetime import datetime
from typing import Any

from blazz_gateway.webhooks.incoming_message import moment

# The contract's bounds (blazz_contracts.events.StatusItem).
_MAX_ID, _MAX_STATUS, _MAX_CALLBACK, _MAX_PHONE, _MAX_USER_ID = 512, 32, 512, 32, 160


def item(status: Any, *, now: datetime) -> tuple[dict[str, Any] | None, bool]:
    """Return the item, None without id and status; and whether it says all of it.

    A part of an unexpected shape is left out of the item, so that a change at Meta's loses no tick.
    """
    if not isinstance(status, dict):
        return None, False
    identifier, name = status.get("id"), status.get("status")
    if (
        not isinstance(identifier, str)
        or not isinstance(name, str)
        or not 0 < len(identifier) <= _MAX_ID
        or len(name) > _MAX_STATUS
    ):
        return None, False
    whole = True
    result: dict[str, Any] = {
        "provider_message_id": identifier,
        "status": name,
        "at": moment(status.get("timestamp")) or now,
    }
    for source, target, longest in (
        ("biz_opaque_callback_data", "callback_data", _MAX_CALLBACK),
        ("recipient_id", "recipient_phone", _MAX_PHONE),
        ("recipient_user_id", "recipient_user_id", _MAX_USER_ID),
    ):
        text = status.get(source)
        if isinstance(text, str) and len(text) <= longest:
            result[target] = text
        elif text is not None:
            whole = False
    for part in ("pricing", "conversation"):
        given = status.get(part)
        if isinstance(given, dict):
            result[part] = given
        elif given is not None:
            whole = False
    errors = status.get("errors")
    if isinstance(errors, list) and all(isinstance(each, dict) for each in errors):
        result["errors"] = errors
    elif errors is not None:
        whole = False
    return result, whole
