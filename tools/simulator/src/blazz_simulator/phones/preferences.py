"""A customer stops or resumes marketing messages: the `user_preferences` webhook."""

import time
from typing import Any

from ..accounts import Account
from ..errors import BadInput, NotFound
from ..webhooks.payload import metadata
from ..webhooks.update import AccountUpdate
from ..whatsapp import WhatsApp


def change_preference(whatsapp: WhatsApp, key: str, data: dict[str, Any]) -> Account:
    """Tell the business `to` (default: the default account) that the customer wants no marketing, or wants it again."""
    value, to = data.get("value"), data.get("to")
    if value not in ("stop", "resume"):
        raise BadInput("value must be stop or resume.", {"value": "must be stop or resume"})
    account = whatsapp.accounts.default if to is None else whatsapp.accounts.by_number(str(to))
    if account is None:
        raise NotFound(f"There is no business number {to}: see GET /_sim/accounts.", {"to": "unknown"})
    phone, now = whatsapp.phones.touch(key), time.time()
    preference: dict[str, Any] = {
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(now),
    }
    if phone.wa_id is not None:
        preference = {"wa_id": phone.wa_id} | preference
    if phone.user_id is not None:
        preference["user_id"] = phone.user_id
    whatsapp.outbox.tell_account(
        account,
        AccountUpdate(
            "user_preferences",
            {
                "messaging_product": "whatsapp",
                "metadata": metadata(account),
                "contacts": [phone.contact()],
                "user_preferences": [preference],
            },
            now,
        ),
    )
    return account
