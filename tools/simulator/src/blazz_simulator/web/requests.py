"""What a page asks for; each answer goes back under the request's number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..identifiers import wa_id
from .addresses import is_group, is_hex, lid_of, parse_key
from .changes import edit, react, revoke
from .delivery import accept, receivers, schedule
from .device import Device
from .faults import WebFault
from .groups import make_group
from .line import Line
from .message import WebMessage
from .page import Page
from .state import Web

Reply = dict[str, Any] | None

UNKNOWN_TO_SERVER = 404
BAD_STANZA = 400
NOT_LINKED = 401


class Refused(Exception):
    """WhatsApp's server says no; `code` is its error code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


def answer_request(state: Web, page: Page, frame: dict[str, Any]) -> Reply:
    """Return the answer to a page's request; None when it comes later, or never."""
    kind = str(frame.get("k"))
    if kind == "pairing_code":
        return _pairing_code(page, frame)
    device = page.device
    if device is None or not page.active:
        raise Refused(NOT_LINKED)
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise Refused(BAD_STANZA)
    return handler(state, state.lines[device.phone], page, device, frame)


def _pairing_code(page: Page, frame: dict[str, Any]) -> Reply:
    phone = wa_id(str(frame.get("phone", "")))
    if page.waiting is None or phone is None:
        raise Refused(BAD_STANZA)
    return {"code": page.waiting.pair_by_code(phone)}


def _send(state: Web, line: Line, page: Page, device: Device, frame: dict[str, Any]) -> Reply:
    parsed = parse_key(str(frame.get("key")))
    if parsed is None or not parsed[0] or not is_hex(parsed[2]):
        raise Refused(BAD_STANZA)
    known = line.messages.get(parsed[2])
    if known is not None:
        if frame.get("repeat"):
            device.repeats += 1
        else:
            device.duplicates += 1
        if known.ack == 0:  # its answer was kept back: now the ticks may follow
            known.ack = 1
            schedule(state, line, known)
        return {"ack": max(1, known.ack), "t": int(known.at)}
    if not receivers(line, parsed[1]):
        raise Refused(UNKNOWN_TO_SERVER)
    if not is_group(parsed[1]) and state.person(parsed[1]) is None:
        raise Refused(UNKNOWN_TO_SERVER)
    if (rule := state.faults.of_send(device, "refuse")) is not None:
        raise Refused(rule.code)
    if (rule := state.faults.of_send(device, "slow")) is not None:
        state.later(rule.seconds or 0, _accept_late, state, line, page, device, frame)
        return None
    return _accept(state, line, page, device, frame)


def _accept_late(state: Web, line: Line, page: Page, device: Device, frame: dict[str, Any]) -> None:
    reply = _accept(state, line, page, device, frame)
    if reply is not None:
        page.tell({"rid": frame["rid"], **reply})


def _accept(state: Web, line: Line, page: Page, device: Device, frame: dict[str, Any]) -> Reply:
    _, remote, hex_, participant = parse_key(str(frame["key"])) or (True, "", "", None)
    if hex_ in line.messages:  # it was slow, and the page has sent it again meanwhile
        device.repeats += 1
        return {"ack": 1, "t": int(line.messages[hex_].at)}
    raw = frame.get("raw")
    message = WebMessage(
        hex_=hex_, remote=remote, from_me=True, me=line.me_in(remote), type_=str(frame.get("type")),
        raw=raw if isinstance(raw, dict) else {}, participant=participant, via="web",
    )  # fmt: skip
    device.sends += 1
    accept(state, line, message, device.id)
    if (rule := state.faults.of_send(device, "drop_ack")) is not None:
        _keep_back(state, line, page, frame, message, rule)
        return None
    schedule(state, line, message)
    return {"ack": 1, "t": int(message.at)}


def _keep_back(state: Web, line: Line, page: Page, frame: dict[str, Any], message: WebMessage, rule: WebFault) -> None:
    message.ack = 0

    def answer() -> None:
        if message.ack == 0:
            message.ack = 1
            page.tell({"rid": frame["rid"], "ack": 1, "t": int(message.at)})
            schedule(state, line, message)

    if rule.seconds is not None and math.isfinite(rule.seconds):
        state.later(rule.seconds, answer)


def _message(line: Line, key: object) -> WebMessage:
    parsed = parse_key(str(key))
    message = None if parsed is None else line.messages.get(parsed[2])
    if message is None:
        raise Refused(UNKNOWN_TO_SERVER)
    return message


def _react(state: Web, line: Line, _: Page, device: Device, frame: dict[str, Any]) -> Reply:
    react(state, line, _message(line, frame.get("parent")), str(frame.get("text", "")), str(frame["key"]), None,
          device.id, "web")  # fmt: skip
    return {"ack": 1}


def _edit(state: Web, line: Line, _: Page, device: Device, frame: dict[str, Any]) -> Reply:
    message = _message(line, frame.get("target"))
    if not message.from_me:
        raise Refused(BAD_STANZA)
    edit(state, line, message, str(frame.get("text", "")), str(frame["key"]), device.id, "web")
    return {"ack": 1}


def _revoke(state: Web, line: Line, _: Page, device: Device, frame: dict[str, Any]) -> Reply:
    revoke(state, line, _message(line, frame.get("target")), device.id, "web")
    return {"ack": 1}


def _exists(state: Web, _: Line, ____: Page, __: Device, frame: dict[str, Any]) -> Reply:
    number = state.person(str(frame.get("address")))
    if number is None:
        return {"exists": False}
    phone = state.whatsapp.phones.find(number)
    business = number in state.lines
    name = state.lines[number].verified_name if business else "" if phone is None else phone.name
    return {
        "exists": True, "pn": f"{number}@c.us", "lid": f"{lid_of(number)}@lid", "business": business, "name": name,
    }  # fmt: skip


def _history(_: Web, line: Line, __: Page, ___: Device, frame: dict[str, Any]) -> Reply:
    chat = line.chats.get(str(frame.get("chat")))
    count = min(max(int(frame.get("count") or 0), 0), 1000)
    if chat is None or count == 0:
        return {"messages": []}
    parsed = parse_key(str(frame.get("anchor")))
    if frame.get("direction") == "after" and parsed is not None:
        found = chat.after(parsed[2], count)
    else:
        found = chat.before(None if parsed is None else parsed[2], count)
    return {"messages": [message.view() for message in found]}


def _find(_: Web, line: Line, __: Page, ___: Device, frame: dict[str, Any]) -> Reply:
    parsed = parse_key(str(frame.get("key")))
    message = None if parsed is None else line.messages.get(parsed[2])
    same = message is not None and message.remote == (parsed or ("", ""))[1]
    return {"message": message.view() if message is not None and same else None}


def _seen(state: Web, line: Line, _: Page, device: Device, frame: dict[str, Any]) -> Reply:
    chat = line.chats.get(str(frame.get("chat")))
    if chat is not None:
        for message in reversed(chat.messages):
            if message.sender is not None:
                if message.ack >= 3:
                    break
                message.ack = 3
                for copy in message.copies:
                    state.whatsapp.phones.set_status(copy, "read")
        chat.unread = 0
        line.tell({"e": "seen", "chat": chat.remote}, device.id)
    return {}


def _typing(state: Web, line: Line, _: Page, __: Device, frame: dict[str, Any]) -> Reply:
    if frame.get("state") in ("composing", "recording"):
        for number in receivers(line, str(frame.get("chat"))):
            phone = state.whatsapp.phones.find(number)
            if phone is not None:
                state.whatsapp.phones.set_typing(phone)
    return {}


def _presence(state: Web, _: Line, page: Page, __: Device, frame: dict[str, Any]) -> Reply:
    page.presence.add(str(frame.get("address")))
    return {"online": state.person(str(frame.get("address"))) is not None}


def _reject(state: Web, _: Line, __: Page, ___: Device, frame: dict[str, Any]) -> Reply:
    call = state.calls.get(str(frame.get("call")))
    if call is None:
        raise Refused(UNKNOWN_TO_SERVER)
    call["state"] = "rejected"
    return {}


def _logout(state: Web, _: Line, __: Page, device: Device, ___: dict[str, Any]) -> Reply:
    state.later(0, state.log_out, device, "user_initiated")
    return {}


def _group(state: Web, line: Line, _: Page, __: Device, frame: dict[str, Any]) -> Reply:
    members = [state.person(str(address)) for address in frame.get("members") or []]
    group = make_group(state, line, str(frame.get("subject", "")), [m for m in members if m is not None])
    return {"group": group.view()}


_HANDLERS: dict[str, Callable[[Web, Line, Page, Device, dict[str, Any]], Reply]] = {
    "send": _send, "edit": _edit, "revoke": _revoke, "react": _react, "exists": _exists, "history": _history,
    "find": _find, "seen": _seen, "typing": _typing, "presence": _presence, "reject": _reject, "logout": _logout,
    "group": _group,
}  # fmt: skip
