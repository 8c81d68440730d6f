"""/_sim/phones: what is on the customers' phones, and what they do."""

from typing import Any

from aiohttp import web

from ..errors import BadInput
from ..keys import WHATSAPP
from ..phones.inbound import write
from ..phones.phonebook import phone_key
from ..phones.preferences import change_preference
from .endpoint import answer, json_object, number


def _key(request: web.Request) -> str:
    key = phone_key(request.match_info["number"])
    if key is None:
        raise BadInput(
            "Give a phone number with its country code, or a business-scoped user id.", {"number": "invalid"}
        )
    return key


async def get_phones(request: web.Request) -> web.Response:
    """List the phones, the last active one first; `limit`, and `search` in number, user id and name."""
    limit = number(request, "limit", 100, 1, 10_000)
    search = request.query.get("search", "").lower()
    phones = request.app[WHATSAPP].phones
    shown = []
    for phone in phones.recent():
        if search and search not in f"{phone.key} {phone.user_id or ''} {phone.name}".lower():
            continue
        shown.append(phone.view())
        if len(shown) == limit:
            break
    return answer({"phones": shown, "total": len(phones)})


async def get_messages(request: web.Request) -> web.Response:
    """Return the messages on a phone, oldest first; an empty list when nothing was ever sent to it."""
    key = _key(request)
    phone = request.app[WHATSAPP].phones.find(key)
    if phone is None:
        return answer({"number": key, "wa_id": None, "user_id": None, "name": None, "messages": []})
    return answer(
        {
            "number": phone.key,
            "wa_id": phone.wa_id,
            "user_id": phone.user_id,
            "name": phone.name,
            "messages": [message.view() for message in phone.messages],
        }
    )


async def post_message(request: web.Request) -> web.Response:
    """Let the customer write; returns the new message's id."""
    data = await json_object(request)
    message = write(request.app[WHATSAPP], _key(request), data)
    return answer({"id": message.wamid, "to": message.account.phone_number_id})


async def post_read(request: web.Request) -> web.Response:
    """Let the customer open the chat; returns the ids of which `read` is told now."""
    whatsapp = request.app[WHATSAPP]
    phone = whatsapp.phones.find(_key(request))
    return answer({"read": whatsapp.read_by_customer(phone) if phone is not None else []})


async def post_preference(request: web.Request) -> web.Response:
    """Let the customer stop or resume marketing messages: `{"value": "stop" | "resume", "to"?}`."""
    data: dict[str, Any] = await json_object(request)
    account = change_preference(request.app[WHATSAPP], _key(request), data)
    return answer({"success": True, "to": account.phone_number_id})
