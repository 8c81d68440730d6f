"""What happens to a message later: it is read, edited, revoked, reacted to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .addresses import address_of, is_group, new_hex, parse_key
from .chat import Chat
from .delivery import put
from .line import Line
from .message import ACKS, WebMessage

if TYPE_CHECKING:
    from .state import Web


def _doing(line: Line, message: WebMessage, hex_: str, via: str) -> WebMessage:
    """Return what a business did to a message as a message of its own, for the ledger."""
    participant = address_of(line.display_phone_number, True) if is_group(message.remote) else None
    return WebMessage(hex_=hex_, remote=message.remote, from_me=True, me=message.me, type_="protocol", raw={},
                      participant=participant, via=via)  # fmt: skip


def edit(
    state: Web, line: Line, message: WebMessage, text: str, key: str, origin: str | None, via: str | None = None
) -> None:
    """Change a message's text. `via` names who of the business did it; None means the customer."""
    field = "body" if message.type == "chat" else "caption"
    message.raw[field] = text
    message.latest_edit = key
    for copy in message.copies:
        state.whatsapp.phones.change(copy, edited=text)
    parsed = parse_key(key)
    if via is not None and parsed is not None:
        put(state, line, _doing(line, message, parsed[2], via), "edit",
            {"message_id": message.key, "text": text}, shown=False)  # fmt: skip
    line.tell({"e": "edit", "target": message.key, "field": field, "text": text, "key": key}, origin)


def revoke(state: Web, line: Line, message: WebMessage, origin: str | None, via: str | None = None) -> None:
    """Delete a message for everyone."""
    message.type, message.raw = "revoked", {}
    for copy in message.copies:
        state.whatsapp.phones.change(copy, revoked=True)
    hex_ = new_hex()
    if via is not None:
        put(state, line, _doing(line, message, hex_, via), "revoke", {"message_id": message.key}, shown=False)
    line.tell({"e": "revoke", "target": message.key, "id": hex_, "from_me": via is not None}, origin)


def react(
    state: Web, line: Line, message: WebMessage, emoji: str, key: str, sender: str | None, origin: str | None,
    via: str | None = None,
) -> None:  # fmt: skip
    """React to a message, or take the reaction back with an empty text. `sender` is the customer's number."""
    address = address_of(sender or line.display_phone_number, message.remote.endswith("@c.us") is False)
    if emoji:
        message.reactions[address] = {"text": emoji, "key": key, "t": int(time.time() * 1000)}
    else:
        message.reactions.pop(address, None)
    parsed = parse_key(key)
    if via is not None and parsed is not None:
        doing = _doing(line, message, parsed[2], via)
        put(state, line, doing, "reaction", {"message_id": message.key, "emoji": emoji})
    line.tell({"e": "reaction", "parent": message.key, "text": emoji, "key": key, "sender": address}, origin)


def see(state: Web, line: Line, chat: Chat, origin: str | None) -> None:
    """Let the business read a chat, on a page or on the phone: customers get blue ticks, other devices hear of it."""
    for message in reversed(chat.messages):
        if message.sender is not None:
            if message.ack >= ACKS["read"]:
                break
            message.ack = ACKS["read"]
            for copy in message.copies:
                state.whatsapp.phones.set_status(copy, "read")
    chat.unread = 0
    line.tell({"e": "seen", "chat": chat.remote}, origin)
