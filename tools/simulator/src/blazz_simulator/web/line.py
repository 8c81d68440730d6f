"""A business's own phone: its number, its chats, and the pages that are linked to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .addresses import address_of, lid_of, person_of
from .chat import Chat
from .device import Device
from .group import Group
from .log import Log
from .message import WebMessage

MESSAGES_MAX = 100_000
"""Messages kept of one phone (about 1.5 KB each); the oldest go first."""


class Line:
    """Lives from the first scan on, also while no page is linked to it. Its messages end with the process."""

    via = "web"
    phone_number_id = None
    """It has none: this phone is not on the Cloud API."""

    def __init__(self, phone: str, name: str) -> None:
        self.display_phone_number = phone
        self.verified_name = name
        self.devices: dict[str, Device] = {}
        self.keep: Callable[[Line], None] = lambda _: None
        """Writes the phone down; called when the log has reserved numbers."""
        self.log = Log(lambda: self.keep(self))
        self.chats: OrderedDict[str, Chat] = OrderedDict()
        """By address, the last active one last."""
        self.messages: OrderedDict[str, WebMessage] = OrderedDict()
        """By the free part of the key."""
        self.groups: dict[str, Group] = {}
        self._numbers = 0

    def kept(self) -> dict[str, Any]:
        """Return what a restarted simulator must know of the phone, so that its pages go on."""
        return {
            "phone": self.display_phone_number,
            "name": self.verified_name,
            "numbers": self._numbers,
            "devices": [device.kept() for device in self.linked],
            "groups": [group.kept() for group in self.groups.values()],
        }

    @classmethod
    def restored(cls, kept: dict[str, Any], last: int) -> Line:
        """Return a phone as it was written down. `last`: the last number its events may have had."""
        line = cls(kept["phone"], kept["name"])
        line._numbers = kept["numbers"]
        line.log.last = line.log.reserved = last
        for about in kept["devices"]:
            device = Device.restored(line.display_phone_number, about)
            device.seen = last
            line.devices[device.id] = device
        for about in kept["groups"]:
            group = Group.restored(about)
            line.groups[group.address] = group
        return line

    @property
    def key(self) -> str:
        """What tells this business from others on a customer's phone."""
        return self.display_phone_number

    @property
    def lid(self) -> str:
        """The phone's hidden address."""
        return address_of(self.display_phone_number, True)

    def me_in(self, remote: str) -> str:
        """Return the phone's own address in a chat."""
        return address_of(self.display_phone_number, not remote.endswith("@c.us"))

    def link(self, user_agent: str, platform: str, code: str) -> Device:
        """Make a new device."""
        self._numbers += 1
        device = Device(self._numbers, self.display_phone_number, user_agent, platform, code)
        device.seen = self.log.last
        self.devices[device.id] = device
        return device

    @property
    def linked(self) -> list[Device]:
        """The devices that are not logged out."""
        return [device for device in self.devices.values() if device.state != "logged_out"]

    def chat(self, remote: str) -> Chat:
        """Return a chat, made on first use, and mark it as the last active one."""
        chat = self.chats.pop(remote, None)
        if chat is None:
            chat = Chat(remote, person_of(remote))
        self.chats[remote] = chat
        return chat

    def add(self, message: WebMessage) -> Chat:
        """Put a message into its chat."""
        chat = self.chat(message.remote)
        chat.messages.append(message)
        self.messages[message.id] = message
        if len(self.messages) > MESSAGES_MAX:
            _, oldest = self.messages.popitem(last=False)
            known = self.chats.get(oldest.remote)
            if known is not None and known.messages and known.messages[0] is oldest:
                known.messages.popleft()
        return chat

    def tell(self, body: dict[str, Any], origin: str | None = None) -> None:
        """Tell every linked device, now or when it is back."""
        linked = self.linked
        if not linked:
            return
        event = self.log.append(body, origin)
        for device in linked:
            page = device.page
            if page is not None and device.state == "online":
                page.tell({"k": "event", "seq": event.seq, **({} if event.origin == device.id else body)})

    def tell_now(self, body: dict[str, Any]) -> None:
        """Tell the pages that are open, and nobody else: typing, a ringing call."""
        for device in self.linked:
            page = device.page
            if page is not None and device.state == "online":
                page.tell(body)

    def trim(self) -> None:
        """Forget the events that every device has."""
        linked = self.linked
        self.log.trim(min((device.seen for device in linked), default=self.log.last))

    def clear(self) -> None:
        """Forget every message, chat and group; devices stay linked."""
        self.chats.clear()
        self.messages.clear()
        self.groups.clear()
        self.log.clear()

    def view(self) -> dict[str, Any]:
        """Return the phone as GET /_sim/web/phones lists it."""
        return {
            "phone": self.display_phone_number,
            "lid": f"{lid_of(self.display_phone_number)}@lid",
            "name": self.verified_name,
            "devices": len(self.linked),
            "chats": len(self.chats),
            "messages": len(self.messages),
        }
