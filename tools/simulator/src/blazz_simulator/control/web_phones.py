"""/_sim/web/phones, /_sim/web/groups: what a linked phone's owner sees and does on the phone itself."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..errors import BadInput, NotFound
from ..identifiers import wa_id
from ..keys import WHATSAPP
from ..phones.inbound import body_of, type_of
from ..web.addresses import address_of, is_group, person_of
from ..web.body import cloud_body, cloud_type
from ..web.changes import see
from ..web.chat import Chat
from ..web.groups import make_group
from ..web.incoming import change_text, find, owner_writes, take_back
from ..web.line import Line
from ..web.message import WebMessage
from ..web.state import Web
from .endpoint import answer, json_object, number


def _web(request: web.Request) -> Web:
    return request.app[WHATSAPP].web


def _line(request: web.Request) -> Line:
    return _web(request).line(wa_id(request.match_info["phone"]) or "")


async def get_phones(request: web.Request) -> web.Response:
    """List the phones that pages are, or were, linked to."""
    return answer({"phones": [line.view() for line in _web(request).lines.values()]})


async def get_messages(request: web.Request) -> web.Response:
    """Return the newest messages of a linked phone's history, or with `chat` of one chat, oldest first."""
    limit, line = number(request, "limit", 100, 1, 10_000), _line(request)
    remote = request.query.get("chat")
    if remote is None:
        messages = list(line.messages.values())[-limit:]
    else:
        messages = line.chats[remote].before(None, limit) if remote in line.chats else []
    return answer({"messages": [_shown(message) for message in messages]})


def _shown(message: WebMessage) -> dict[str, Any]:
    type_ = cloud_type(message.type)
    quoted = message.raw.get("quotedStanzaID")
    return {
        "id": message.key, "chat": message.remote, "from_me": message.from_me, "via": message.via, "type": type_,
        type_: cloud_body(message.type, message.raw), "ack": message.ack, "at": message.at, "sender": message.sender,
        "name": message.notify_name, "context": {"id": quoted} if quoted else None,
        "edited": message.latest_edit is not None, "reactions": [each["text"] for each in message.reactions.values()],
    }  # fmt: skip


async def get_chats(request: web.Request) -> web.Response:
    """Return the chats of a linked phone as its own screen lists them, the last active one first."""
    state, line = _web(request), _line(request)
    chats = list(line.chats.values())[-number(request, "limit", 200, 1, 10_000) :]
    return answer({"phone": line.view(), "chats": [_listed(state, line, chat) for chat in reversed(chats)]})


def _listed(state: Web, line: Line, chat: Chat) -> dict[str, Any]:
    group, person = line.groups.get(chat.remote), chat.person
    other, phone = state.lines.get(person or ""), state.whatsapp.phones.find(person or "")
    if group is not None:
        name = group.subject
    else:
        name = other.verified_name if other is not None else phone.name if phone is not None else ""
    return {
        "id": chat.remote, "number": person, "name": name, "group": is_group(chat.remote), "unread": chat.unread,
        "last": _shown(chat.messages[-1]) if chat.messages else None,
    }  # fmt: skip


async def post_read(request: web.Request) -> web.Response:
    """Open a chat on the phone: `{chat}`; who wrote in it gets blue ticks, and pages see it as read."""
    line = _line(request)
    chat = line.chats.get(str((await json_object(request)).get("chat")))
    if chat is None:
        raise NotFound("There is no such chat on this phone.", {"chat": "unknown"})
    unread = chat.unread
    if unread:
        see(_web(request), line, chat, None)
    return answer({"read": unread})


async def post_message(request: web.Request) -> web.Response:
    """Write on the phone: `{to, text | type...}`; `to` is a number, an address or a group."""
    state, line = _web(request), _line(request)
    data = await json_object(request)
    to = str(data.pop("to", ""))
    type_ = type_of(data)
    body = body_of(type_, data.get(type_), line, request.app[WHATSAPP].media)
    context = data.get("context")
    if context is not None and not isinstance(context, dict):
        raise BadInput('context must be an object, for example {"id": "..."}.', {"context": "must be an object"})
    message = owner_writes(state, line, _remote(state, to), type_, body, context)
    return answer({"id": message.key})


def _remote(state: Web, to: str) -> str:
    if is_group(to):
        return to
    digits = person_of(to) if "@" in to else wa_id(to)
    if digits is None:
        raise BadInput("to is a phone number, an address or a group.", {"to": "must be a phone number or an address"})
    return to if "@" in to else address_of(digits, state.settings.lid)


def _message(request: web.Request) -> WebMessage:
    message = find(_line(request), request.match_info["id"])
    if message is None:
        raise NotFound("There is no such message.", {"id": "unknown"})
    return message


async def post_edit(request: web.Request) -> web.Response:
    """Edit one's own message on the phone: `{text}`."""
    data = await json_object(request)
    message = _message(request)
    change_text(_web(request), _line(request), message, data.get("text"), by_business=True)
    return answer({"id": message.key})


async def post_revoke(request: web.Request) -> web.Response:
    """Delete one's own message for everyone, on the phone."""
    message = _message(request)
    take_back(_web(request), _line(request), message, by_business=True)
    return answer({"id": message.key})


async def get_groups(request: web.Request) -> web.Response:
    """List the groups of every linked phone."""
    groups = {g.address: g.view() for line in _web(request).lines.values() for g in line.groups.values()}
    return answer({"groups": list(groups.values())})


async def post_group(request: web.Request) -> web.Response:
    """Make a group on the phone: `{phone, subject, members}`."""
    data = await json_object(request)
    line = _web(request).line(wa_id(str(data.get("phone", ""))) or "")
    members, subject = data.get("members"), data.get("subject")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 100:
        raise BadInput("subject is 1 to 100 characters.", {"subject": "must be 1 to 100 characters"})
    numbers = [wa_id(str(member)) for member in members] if isinstance(members, list) else []
    if not numbers or None in numbers:
        raise BadInput("members is a list of phone numbers.", {"members": "must be a list of phone numbers"})
    group = make_group(_web(request), line, subject, [n for n in numbers if n is not None])
    return answer({"group": group.view()})
