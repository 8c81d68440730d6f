"""Every customer phone, bounded: the one idle longest is forgotten first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from ..identifiers import USER_ID, wa_id
from ..message import Message
from ..settings import Settings
from .phone import Phone

_LISTENER_BACKLOG = 500
"""Events a page may be behind; a slower one is cut off and loads the conversation anew."""

_RANK = {"accepted": 0, "received": 0, "sent": 1, "delivered": 2, "read": 3, "played": 4, "failed": 5}

Listener = asyncio.Queue[dict[str, Any] | None]


class Phonebook:
    """Phones by number or user id, and who is looking at them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._phones: OrderedDict[str, Phone] = OrderedDict()
        self._by_user_id: dict[str, Phone] = {}
        self._listeners: dict[str, set[Listener]] = {}

    def __len__(self) -> int:
        return len(self._phones)

    def recent(self) -> Iterator[Phone]:
        """Return the phones, the last active one first."""
        return reversed(self._phones.values())

    def find(self, reference: str) -> Phone | None:
        """Return the phone of a number or user id, or None when nothing was ever sent to or from it."""
        key = phone_key(reference)
        return None if key is None else self._phones.get(key) or self._by_user_id.get(key)

    def touch(self, key: str) -> Phone:
        """Return the phone of a number's digits or a user id, made on first use, and mark it as the last active."""
        phone = self._phones.pop(key, None)
        if phone is None and (known := self._by_user_id.get(key)) is not None:
            phone = self._phones.pop(known.key)
        if phone is None:
            phone = Phone(key, self._settings.phone_messages_max, self._settings.user_ids)
            if phone.user_id is not None:
                self._by_user_id[phone.user_id] = phone
            if len(self._phones) >= self._settings.phones_max:
                self._forget_oldest()
        self._phones[phone.key] = phone
        return phone

    def _forget_oldest(self) -> None:
        _, phone = self._phones.popitem(last=False)
        if phone.user_id is not None:
            self._by_user_id.pop(phone.user_id, None)

    def add(self, message: Message) -> None:
        """Put a message on its phone and show it to whoever looks at it."""
        message.phone.add(message)
        if self._watched(message.phone):
            self._tell(message.phone, {"event": "message", "message": message.view()})

    def set_status(self, message: Message, status: str, error: int | None = None) -> None:
        """Change the ticks of a message and show them; ticks never go back, in whatever order they are told."""
        if error is None and _RANK.get(status, 0) <= _RANK.get(message.status, 0):
            return
        message.status = status
        message.error = error
        if self._watched(message.phone):
            self._tell(message.phone, {"event": "status", "id": message.wamid, "status": status, "error": error})

    def change(self, message: Message, edited: str | None = None, revoked: bool = False) -> None:
        """Change a message's text, or delete it, and show that."""
        message.edited = edited if edited is not None else message.edited
        message.revoked = message.revoked or revoked
        if self._watched(message.phone):
            self._tell(message.phone, {"event": "changed", "message": message.view()})

    def set_typing(self, phone: Phone) -> None:
        """Show that the business is typing."""
        self._tell(phone, {"event": "typing"})

    def listen(self, key: str) -> Listener:
        """Return a queue of the events of one phone (or of all, with `*`); None in it means: load anew."""
        listener: Listener = asyncio.Queue(_LISTENER_BACKLOG)
        self._listeners.setdefault(key, set()).add(listener)
        return listener

    def unlisten(self, key: str, listener: Listener) -> None:
        """Stop a queue of `listen`."""
        listeners = self._listeners.get(key, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(key, None)

    def close(self) -> None:
        """End every page's event stream."""
        for listeners in list(self._listeners.values()):
            for listener in list(listeners):
                _cut_off(listener)

    def clear(self) -> None:
        """Forget all phones; open pages load anew."""
        self._phones.clear()
        self._by_user_id.clear()
        self.close()

    def _watched(self, phone: Phone) -> bool:
        return bool(self._listeners) and (phone.key in self._listeners or "*" in self._listeners)

    def _tell(self, phone: Phone, event: dict[str, Any]) -> None:
        event["number"] = phone.key
        for key in (phone.key, "*"):
            for listener in self._listeners.get(key, ()):
                if listener.full():
                    _cut_off(listener)
                else:
                    listener.put_nowait(event)


def _cut_off(listener: Listener) -> None:
    while not listener.empty():
        listener.get_nowait()
    listener.put_nowait(None)


def phone_key(reference: str) -> str | None:
    """Return the key of a customer: digits of a number, or a user id as it is; None when it is neither."""
    return reference if USER_ID.match(reference) else wa_id(reference)
