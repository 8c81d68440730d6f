"""The JSON body of a webhook, in Meta's shape, and its signature."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from ..accounts import Account
from ..graph.codes import describe
from ..message import Message
from .update import AccountUpdate, MessageUpdate, StatusUpdate, Update

Layout = Literal["compact", "changes", "entries"]
"""How several updates share a body: one change for all of a kind, a change each, or an entry each."""


def signature(body: bytes, app_secret: str) -> str:
    """Return the value of X-Hub-Signature-256: HMAC-SHA256 of the raw body with the app's secret."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def render(account: Account, updates: Sequence[Update], layout: Layout, conversation: bool = False) -> bytes:
    """Return the body that tells a business of `updates`."""
    groups = [[update] for update in updates] if layout != "compact" else _kinds(updates)
    changes = [_change(account, group, conversation) for group in groups]
    chunks = [[change] for change in changes] if layout == "entries" else [changes]
    return orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": account.waba_id, "time": int(updates[0].at), "changes": chunk} for chunk in chunks],
        }
    )


def _kinds(updates: Sequence[Update]) -> list[list[Update]]:
    """Group what may stand in one `value`: failed statuses apart, for they have no contacts; others on their own."""
    statuses: list[Update] = []
    failed: list[Update] = []
    messages: list[Update] = []
    groups = [messages, statuses, failed]
    for update in updates:
        if isinstance(update, StatusUpdate):
            (failed if update.error is not None else statuses).append(update)
        elif isinstance(update, MessageUpdate):
            messages.append(update)
        else:
            groups.append([update])
    return [group for group in groups if group]


def _change(account: Account, updates: Sequence[Update], conversation: bool) -> dict[str, Any]:
    first = updates[0]
    if isinstance(first, AccountUpdate):
        return {"value": first.value, "field": first.field}
    contacts: dict[str, dict[str, Any]] = {}
    items = []
    for update in updates:
        if isinstance(update, StatusUpdate):
            items.append(_status(update, conversation))
            if update.error is not None:
                continue
        elif isinstance(update, MessageUpdate):
            items.append(_message(update.message))
        else:  # pragma: no cover - _kinds and the other layouts keep account updates apart
            continue
        phone = update.message.phone
        if phone.key not in contacts:
            contacts[phone.key] = phone.contact()
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": metadata(account)}
    if contacts:
        value["contacts"] = list(contacts.values())
    value["statuses" if isinstance(first, StatusUpdate) else "messages"] = items
    return {"value": value, "field": "messages"}


def metadata(account: Account) -> dict[str, str]:
    """Return `value.metadata`: the business number this is about."""
    return {"display_phone_number": account.display_phone_number, "phone_number_id": account.phone_number_id}


def _status(update: StatusUpdate, conversation: bool) -> dict[str, Any]:
    message = update.message
    phone = message.phone
    item: dict[str, Any] = {"id": message.wamid, "status": update.status, "timestamp": str(int(update.at))}
    if phone.wa_id is not None:
        item["recipient_id"] = phone.wa_id
    if phone.user_id is not None:
        item["recipient_user_id"] = phone.user_id
    if message.callback_data is not None:
        item["biz_opaque_callback_data"] = message.callback_data
    if update.error is not None:
        item["errors"] = [_error(update.error)]
        return item
    free = message.category == "service"
    if conversation:
        item["conversation"] = {"id": f"{hash(phone.key) & 0xFFFFFFFF:032x}", "origin": {"type": message.category}}
    item["pricing"] = {
        "billable": not free,
        "pricing_model": "PMP",
        "type": "free_customer_service" if free else "regular",
        "category": message.category,
    }
    return item


def _error(code: int) -> dict[str, Any]:
    known = describe(code)
    return {
        "code": code,
        "title": known.title,
        "message": known.title,
        "error_data": {"details": known.details},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def _message(message: Message) -> dict[str, Any]:
    phone = message.phone
    item: dict[str, Any] = {}
    if message.context is not None:
        item["context"] = message.context
    if phone.wa_id is not None:
        item["from"] = phone.wa_id
    if phone.user_id is not None:
        item["from_user_id"] = phone.user_id
    item |= {"id": message.wamid, "timestamp": str(int(message.at)), "type": message.type}
    if message.referral is not None:
        item["referral"] = message.referral
    if message.type == "unsupported":
        item["errors"] = [_error(131051)]
    else:
        item[message.type] = message.body
    return item
