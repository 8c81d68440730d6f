"""The websocket of a page: who it is, what it has missed, and what it asks for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import structlog
from aiohttp import WSMsgType, web

from ..keys import WHATSAPP
from .ask import Refused
from .chat import Chat
from .device import Device
from .line import Line
from .page import Page
from .requests import answer_request
from .state import Web

log = structlog.get_logger(__name__)

FRAME_MAX = 4 * 1024 * 1024
"""Bytes of one frame: texts and small objects; media go over HTTP."""


async def get_socket(request: web.Request) -> web.StreamResponse:
    """Serve one page until it goes."""
    socket = web.WebSocketResponse(max_msg_size=FRAME_MAX, autoping=True)
    await socket.prepare(request)
    state = request.app[WHATSAPP].web
    page = Page(socket, request.headers.get("User-Agent", ""))
    writer = asyncio.create_task(page.write())
    try:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                _take(state, page, orjson.loads(frame.data))
    except (ConnectionError, orjson.JSONDecodeError) as error:
        log.info("web_page_lost", error=str(error))
    finally:
        _gone(state, page)
        writer.cancel()
    return socket


def _take(state: Web, page: Page, frame: dict[str, Any]) -> None:
    kind = frame.get("k")
    if kind == "hello":
        _hello(state, page, frame)
    elif kind == "refresh" and page.waiting is not None:
        page.waiting.show_first()
    elif kind == "takeover" and page.device is not None:
        _activate(state, page, page.device, int(frame.get("since", -1)))
    elif kind == "got" and page.device is not None:
        page.device.seen = max(page.device.seen, int(frame["seq"]))
        state.lines[page.device.phone].trim()
    elif "rid" in frame:
        try:
            reply = answer_request(state, page, frame)
        except Refused as error:
            reply = {"error": error.code}
        except Exception:
            log.exception("web_request_failed", kind=kind)
            reply = {"error": 500}
        if reply is not None:
            page.tell({"rid": frame["rid"], **reply})


def _hello(state: Web, page: Page, frame: dict[str, Any]) -> None:
    device_id, token = frame.get("device"), frame.get("token")
    platform = str(frame.get("platform", ""))[:64]
    if device_id is None:
        state.wait(page, {name: str(frame["keys"][name]) for name in ("static", "identity", "secret")}, platform)
        return
    device = state.device(str(device_id))
    if device is None or device.token != token or device.state == "logged_out":
        page.tell({"k": "logout", "reason": "unknown_companion"})
        page.end()
        return
    if device.offline_until > asyncio.get_running_loop().time():
        page.close()
        return
    page.device = device
    device.pages.append(page)
    _activate(state, page, device, int(frame.get("since", -1)))


def _activate(state: Web, page: Page, device: Device, since: int) -> None:
    """Make a page the one in use: the other one of the same profile is told, as WhatsApp does."""
    for other in device.pages:
        if other is not page and other.active:
            other.active = False
            other.tell({"k": "conflict"})
    page.active = True
    device.state = "online"
    device.connected_since = time.time()
    line = state.lines[device.phone]
    first_time = since < 0
    page.tell(
        {"k": "welcome", **state.me(line), "first": first_time, "groups": [g.view() for g in line.groups.values()]}
    )
    if first_time or since < line.log.first - 1:
        since = line.log.last
        page.tell({"k": "history", "chats": _history(state, line), "seq": since})
    missed = 0
    for event in line.log.after(since):
        missed += 1
        body = {} if event.origin == device.id else event.body
        page.tell({"k": "event", "seq": event.seq, "offline": True, **body})
    page.tell({"k": "live", "missed": missed})


def _history(state: Web, line: Line) -> list[dict[str, Any]]:
    """Return the last chats with their last messages, as a page gets them when it is linked."""
    chats = list(line.chats.values())[-state.settings.history_chats or len(line.chats) :]
    return [_chat(state, chat) for chat in chats] if state.settings.history_chats else []


def _chat(state: Web, chat: Chat) -> dict[str, Any]:
    """Return one chat with its last messages."""
    phone = None if chat.person is None else state.whatsapp.phones.find(chat.person)
    messages = chat.before(None, state.settings.history_messages) if state.settings.history_messages else []
    return {
        "id": chat.remote,
        "pn": None if chat.person is None else f"{chat.person}@c.us",
        "name": None if phone is None else phone.name,
        "unread": chat.unread,
        "messages": [message.view() for message in messages],
    }


def _gone(state: Web, page: Page) -> None:
    if page.waiting is not None:
        state.leave(page.waiting)
    device = page.device
    if device is not None and page in device.pages:
        device.pages.remove(page)
        if page.active:
            page.active = False
            device.connected_since = None
            if device.state != "logged_out":
                device.state = "away"
