"""/_sim/phones/{number}: a customer edits, revokes, types and calls, which only WhatsApp Web is told of."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..errors import BadInput, NotFound
from ..identifiers import new_call_id, wa_id
from ..keys import WHATSAPP
from ..phones.phonebook import phone_key
from ..web.addresses import address_of
from ..web.incoming import change_text, find, remote_of, take_back
from ..web.line import Line
from ..web.message import WebMessage
from ..web.state import Web
from .endpoint import answer, json_object

_STATES = {"composing": "typing", "recording": "recording_audio", "paused": "available"}
_PRESENCES = frozenset({*_STATES, "available", "unavailable"})


def _customer(request: web.Request) -> str:
    key = phone_key(request.match_info["number"])
    if key is None:
        raise BadInput("Give a phone number with its country code.", {"number": "invalid"})
    return key


def _found(request: web.Request) -> tuple[Web, Line, WebMessage]:
    whatsapp = request.app[WHATSAPP]
    phone = whatsapp.phones.find(_customer(request))
    copy = None if phone is None else phone.find(request.match_info["id"])
    line = None if copy is None else copy.account
    message = find(line, request.match_info["id"]) if isinstance(line, Line) else None
    if message is None or not isinstance(line, Line):
        raise NotFound("There is no such message to WhatsApp Web on this phone.", {"id": "unknown"})
    return whatsapp.web, line, message


async def post_edit(request: web.Request) -> web.Response:
    """Let a customer edit a message: `{text}`."""
    data = await json_object(request)
    state, line, message = _found(request)
    change_text(state, line, message, data.get("text"), by_business=False)
    return answer({"id": message.key})


async def post_revoke(request: web.Request) -> web.Response:
    """Let a customer delete a message for everyone."""
    state, line, message = _found(request)
    take_back(state, line, message, by_business=False)
    return answer({"id": message.key})


def _line(request: web.Request, data: dict[str, Any]) -> Line:
    whatsapp = request.app[WHATSAPP]
    to = data.get("to")
    if to is None:
        phone = whatsapp.phones.find(_customer(request))
        to = (phone.last_account if phone is not None else None) or ""
    return whatsapp.web.line(wa_id(str(to)) or "")


async def post_presence(request: web.Request) -> web.Response:
    """Let a customer type, record, come or go: `{state, to?, group?}`."""
    data = await json_object(request)
    shown = data.get("state")
    if shown not in _PRESENCES:
        raise BadInput(f"state is one of {', '.join(sorted(_PRESENCES))}.", {"state": "unknown"})
    line = _line(request, data)
    customer = _customer(request)
    remote, participant = remote_of(request.app[WHATSAPP].web, line, customer, data.get("group"))
    line.tell_now({"k": "presence", "chat": remote, "participant": participant, "state": _STATES.get(shown, shown)})
    return answer({"to": line.display_phone_number})


async def get_calls(request: web.Request) -> web.Response:
    """List a customer's calls, and what became of them."""
    customer = _customer(request)
    calls = [call for call in request.app[WHATSAPP].web.calls.values() if call["from"] == customer]
    return answer({"calls": calls})


async def post_call(request: web.Request) -> web.Response:
    """Let a customer call a linked phone: `{to?, video?}`. It rings until it is rejected."""
    data = await json_object(request)
    line, customer = _line(request, data), _customer(request)
    call_id, state = new_call_id(), request.app[WHATSAPP].web
    call = {"id": call_id, "from": customer, "to": line.display_phone_number, "video": bool(data.get("video")),
            "state": "ringing"}  # fmt: skip
    state.calls[call_id] = call
    peer = address_of(customer, state.settings.lid)
    line.tell_now({"k": "call", "id": call_id, "peer": peer, "pn": f"{customer}@c.us", "video": call["video"]})
    return answer({"call": call})
