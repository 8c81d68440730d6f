"""What a page asks for; each answer goes back under the request's number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..identifiers import wa_id
from .addresses import lid_of, parse_key
from .ask import BAD_STANZA, NOT_LINKED, UNKNOWN, Ask, Refused, Reply
from .changes import edit, react, revoke, see
from .delivery import receivers
from .groups import make_group
from .page import Page
from .sending import send
from .state import Web

HISTORY_MAX = 1000
"""Messages in one answer."""


def answer_request(state: Web, page: Page, frame: dict[str, Any]) -> Reply:
    """Return the answer to a page's request; `Refused` when the server says no."""
    kind = str(frame.get("k"))
    if kind == "pairing_code":
        return _pairing_code(page, frame)
    device = page.device
    if device is None or not page.active:
        raise Refused(NOT_LINKED)
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise Refused(BAD_STANZA)
    return handler(Ask(state, state.lines[device.phone], page, device, frame))


def _pairing_code(page: Page, frame: dict[str, Any]) -> Reply:
    phone = wa_id(str(frame.get("phone", "")))
    if page.waiting is None or phone is None:
        raise Refused(BAD_STANZA)
    return {"code": page.waiting.pair_by_code(phone)}


def _react(ask: Ask) -> Reply:
    react(ask.state, ask.line, ask.message("parent"), ask.text("text"), ask.text("key"), None, ask.device.id, "web")
    return {}


def _edit(ask: Ask) -> Reply:
    message = ask.message("target")
    if not message.from_me:
        raise Refused(BAD_STANZA)
    edit(ask.state, ask.line, message, ask.text("text"), ask.text("key"), ask.device.id, "web")
    return {}


def _revoke(ask: Ask) -> Reply:
    revoke(ask.state, ask.line, ask.message("target"), ask.device.id, "web")
    return {}


def _exists(ask: Ask) -> Reply:
    number = ask.state.person(ask.text("address"))
    if number is None:
        return {"exists": False}
    line, phone = ask.state.lines.get(number), ask.state.whatsapp.phones.find(number)
    name = line.verified_name if line is not None else phone.name if phone is not None else ""
    return {
        "exists": True, "pn": f"{number}@c.us", "lid": f"{lid_of(number)}@lid", "business": line is not None,
        "name": name,
    }  # fmt: skip


def _history(ask: Ask) -> Reply:
    chat = ask.line.chats.get(ask.text("chat"))
    count = min(max(int(ask.frame.get("count") or 0), 0), HISTORY_MAX)
    if chat is None or count == 0:
        return {"messages": []}
    parsed = parse_key(ask.text("anchor"))
    if ask.frame.get("direction") == "after" and parsed is not None:
        found = chat.after(parsed[2], count)
    else:
        found = chat.before(None if parsed is None else parsed[2], count)
    return {"messages": [message.view() for message in found]}


def _find(ask: Ask) -> Reply:
    parsed = parse_key(ask.text("key"))
    message = None if parsed is None else ask.line.messages.get(parsed[2])
    same = message is not None and parsed is not None and message.remote == parsed[1]
    return {"message": message.view() if message is not None and same else None}


def _seen(ask: Ask) -> Reply:
    chat = ask.line.chats.get(ask.text("chat"))
    if chat is not None:
        see(ask.state, ask.line, chat, ask.device.id)
    return {}


def _typing(ask: Ask) -> Reply:
    if ask.text("state") in ("composing", "recording"):
        for number in receivers(ask.line, ask.text("chat")):
            phone = ask.state.whatsapp.phones.find(number)
            if phone is not None:
                ask.state.whatsapp.phones.set_typing(phone)
    return {}


def _presence(ask: Ask) -> Reply:
    return {"known": ask.state.person(ask.text("address")) is not None}


def _reject(ask: Ask) -> Reply:
    call = ask.state.calls.get(ask.text("call"))
    if call is None:
        raise Refused(UNKNOWN)
    call["state"] = "rejected"
    return {}


def _logout(ask: Ask) -> Reply:
    ask.state.later(0, ask.state.log_out, ask.device, "user_initiated")
    return {}


def _group_of(ask: Ask) -> Reply:
    group = ask.line.groups.get(ask.text("group"))
    if group is None:
        raise Refused(UNKNOWN)
    return {"group": group.view()}


def _group(ask: Ask) -> Reply:
    members = [ask.state.person(str(address)) for address in ask.frame.get("members") or []]
    group = make_group(ask.state, ask.line, ask.text("subject"), [member for member in members if member is not None])
    return {"group": group.view()}


_HANDLERS: dict[str, Callable[[Ask], Reply]] = {
    "send": send, "edit": _edit, "revoke": _revoke, "react": _react, "exists": _exists, "history": _history,
    "find": _find, "seen": _seen, "typing": _typing, "presence": _presence, "reject": _reject, "logout": _logout,
    "group": _group, "group_of": _group_of,
}  # fmt: skip
