"""/_sim/accounts: the businesses' phone numbers."""

import time
from typing import Any

from aiohttp import web

from ..accounts import Account
from ..errors import BadInput
from ..keys import WHATSAPP
from ..webhooks.handshake import shake_hands
from ..webhooks.update import AccountUpdate
from .endpoint import answer, json_object, parse


async def get_accounts(request: web.Request) -> web.Response:
    """List all accounts, the default one first."""
    whatsapp = request.app[WHATSAPP]
    return answer(
        {
            "accounts": [account.model_dump() for account in whatsapp.accounts],
            "default": whatsapp.accounts.default.phone_number_id,
        }
    )


async def get_account(request: web.Request) -> web.Response:
    """Return one account."""
    return answer(request.app[WHATSAPP].accounts.get(request.match_info["id"]).model_dump())


async def put_account(request: web.Request) -> web.Response:
    """Add an account, or change the named fields of one; a new one takes what is not named from the default one."""
    whatsapp, account_id = request.app[WHATSAPP], request.match_info["id"]
    data: dict[str, Any] = await json_object(request)
    if data.get("phone_number_id", account_id) != account_id:
        raise BadInput("phone_number_id is the one of the path.", {"phone_number_id": "must be the one of the path"})
    known = whatsapp.accounts.find(account_id)
    if known is None:
        base = whatsapp.accounts.default.model_dump() | {"callback_url": None, "verified": None, "subscribed": True}
        base["display_phone_number"] = data.get("display_phone_number", account_id[-15:])
    else:
        base = known.model_dump()
    account = parse(Account, base | data | {"phone_number_id": account_id})
    whatsapp.accounts.put(account)
    whatsapp.outbox.account_changed(account)
    return answer(account.model_dump(), 201 if known is None else 200)


async def delete_account(request: web.Request) -> web.Response:
    """Forget an account and its webhooks. The default one stays."""
    whatsapp, account_id = request.app[WHATSAPP], request.match_info["id"]
    if whatsapp.accounts.get(account_id) is whatsapp.accounts.default:
        raise BadInput("The default account cannot be removed.", {"id": "is the default account"})
    whatsapp.accounts.remove(account_id)
    whatsapp.outbox.account_removed(account_id)
    return answer({"success": True})


async def post_verify(request: web.Request) -> web.Response:
    """Do Meta's handshake with the account's callback_url; `verified` says how it went, `reason` why not."""
    whatsapp = request.app[WHATSAPP]
    account = whatsapp.accounts.get(request.match_info["id"])
    if account.callback_url is None:
        raise BadInput("The account has no callback_url to verify.", {"callback_url": "missing"})
    reason = await shake_hands(whatsapp.outbox.client, account, account.callback_url, account.verify_token)
    return answer({"verified": reason is None, "reason": reason})


async def post_event(request: web.Request) -> web.Response:
    """Tell any other webhook: `{"field": "account_update", "value": {...}}`, as Meta would write it."""
    whatsapp = request.app[WHATSAPP]
    account = whatsapp.accounts.get(request.match_info["id"])
    data = await json_object(request)
    field, value = data.get("field"), data.get("value")
    if not isinstance(field, str) or not field:
        raise BadInput("field must name the webhook field.", {"field": "missing"})
    if not isinstance(value, dict):
        raise BadInput("value must be an object.", {"value": "must be an object"})
    whatsapp.outbox.tell_account(account, AccountUpdate(field, value, time.time()))
    return answer({"success": True}, 202)
