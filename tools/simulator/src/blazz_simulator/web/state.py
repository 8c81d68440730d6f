"""All of WhatsApp Web: the linked phones, the pages that wait for a scan, the settings, what goes wrong."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from ..errors import Conflict, NotFound
from ..phones.phone import Phone
from .addresses import lid_of, person_of
from .device import Device
from .faults import WebFaults
from .line import Line
from .page import Page
from .register import Register
from .settings import WebSettings
from .waiting import Waiting

if TYPE_CHECKING:
    from ..whatsapp import WhatsApp

_GONE_MAX = 100
"""Logged-out devices, and expired codes of closed pages, that are remembered."""


class Web:
    """Lives as long as the process, but for who is linked to whom, which the register keeps."""

    def __init__(self, whatsapp: WhatsApp) -> None:
        self.whatsapp = whatsapp
        self.settings = WebSettings()
        self.faults = WebFaults(whatsapp.rng)
        self.register = Register(whatsapp.settings.data)
        self.lines: dict[str, Line] = {}
        self.waiting: dict[str, Waiting] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        """Calls of customers by id."""
        self._numbers = 0
        self._gone_refs: deque[str] = deque(maxlen=_GONE_MAX)
        self._timers: set[asyncio.TimerHandle] = set()

    def open(self) -> None:
        """Know the pages again that were linked before."""
        for line in self.register.open():
            line.keep = self.register.keep
            self.lines[line.display_phone_number] = line

    def line(self, phone: str) -> Line:
        """Return the line of a phone number; `NotFound` when no page was ever linked to it."""
        line = self.lines.get(phone)
        if line is None:
            raise NotFound(f"No page is linked to {phone}: see GET /_sim/web/devices.", {"phone": "not linked"})
        return line

    def wait(self, page: Page, keys: dict[str, str], platform: str) -> Waiting:
        """Let a page show codes."""
        self._numbers += 1
        waiting = Waiting(self._numbers, page, keys, self.settings, platform)
        self.waiting[waiting.id] = waiting
        page.waiting = waiting
        waiting.show_first()
        return waiting

    def leave(self, waiting: Waiting) -> None:
        """Forget a page that waited."""
        waiting.stop()
        self._gone_refs.extend(waiting.expired)
        self.waiting.pop(waiting.id, None)
        waiting.page.waiting = None

    def scan(self, code: str, phone: str) -> Device:
        """Link the page that shows `code` (the whole text, or the beginning of its reference) to a phone."""
        for waiting in self.waiting.values():
            shown = waiting.code
            if shown is not None and (shown == code or shown.split(",", 1)[0].startswith(code.split(",", 1)[0])):
                if "," in code and shown != code:
                    break
                return self._link(waiting, phone, code if "," in code else shown)
        ref = code.split(",", 1)[0]
        expired = [ref for waiting in self.waiting.values() for ref in waiting.expired] + list(self._gone_refs)
        if ref in expired or any(known.startswith(ref) for known in expired if len(ref) > 2):
            raise Conflict("This code is no longer shown: scan the one shown now.", {"code": "expired"})
        raise NotFound("No page shows this code: see GET /_sim/web/devices.", {"code": "unknown"})

    def pair(self, code: str, phone: str) -> Device:
        """Link the page that shows a pairing code to the phone the code was made for."""
        plain = code.replace("-", "").replace(" ", "").upper()
        waiting = next((w for w in self.waiting.values() if w.pairing_code == plain), None)
        if waiting is None:
            raise NotFound("No page shows this pairing code, or no longer.", {"code": "unknown or expired"})
        if waiting.pairing_phone != phone:
            raise Conflict("This pairing code was made for another phone.", {"phone": "another phone's code"})
        return self._link(waiting, phone, plain)

    def _link(self, waiting: Waiting, phone: str, code: str) -> Device:
        line = self.lines.get(phone)
        if line is None:
            line = self.lines[phone] = Line(phone, self._name(phone))
            line.keep = self.register.keep
        device = line.link(waiting.page.user_agent, waiting.platform, code)
        self.register.keep(line)
        page = waiting.page
        self.leave(waiting)
        page.tell({"k": "paired", "device": device.id, "token": device.token, **self.me(line)})
        return device

    def _name(self, phone: str) -> str:
        account = self.whatsapp.accounts.by_number(phone)
        return account.verified_name if account is not None else Phone(phone, 1, False).name

    def me(self, line: Line) -> dict[str, Any]:
        """Return what a page must know of its phone."""
        phone = line.display_phone_number
        return {
            "me": {"pn": f"{phone}@c.us", "lid": f"{lid_of(phone)}@lid", "name": line.verified_name},
            "lid": self.settings.lid,
        }

    def device(self, device_id: str) -> Device | None:
        """Return a device by its id, or None."""
        line = self.lines.get(device_id.partition(":")[0])
        return None if line is None else line.devices.get(device_id)

    def log_out(self, device: Device, reason: str) -> None:
        """Unlink a device: its page is told, now or when it comes back."""
        device.state = "logged_out"
        for page in device.pages:
            page.tell({"k": "logout", "reason": reason})
            page.end()
        line = self.lines[device.phone]
        gone = [known for known in line.devices.values() if known.state == "logged_out"]
        for known in gone[:-_GONE_MAX]:
            del line.devices[known.id]
        line.trim()
        self.register.keep(line)

    def use(self, settings: WebSettings) -> None:
        """Behave another way from now on; pages that show codes keep their pace."""
        self.settings = settings
        for line in self.lines.values():
            line.tell_now({"k": "settings", "lid": settings.lid})

    def later(self, seconds: float, call: Any, *args: Any) -> None:
        """Do something later, unless a reset comes first."""
        loop = asyncio.get_running_loop()

        def run() -> None:
            self._timers.discard(handle)
            call(*args)

        handle = loop.call_later(seconds, run)
        self._timers.add(handle)

    def devices(self) -> list[dict[str, Any]]:
        """Return every device and every page that waits."""
        shown = [waiting.view() for waiting in self.waiting.values()]
        for line in self.lines.values():
            lid = f"{lid_of(line.display_phone_number)}@lid"
            for device in line.devices.values():
                waits = 0 if device.state in ("online", "logged_out") else line.log.last - device.seen
                shown.append(device.view(lid, max(0, waits)))
        return shown

    def person(self, address: str) -> str | None:
        """Return the number behind an address when it is on WhatsApp, else None."""
        number = person_of(address)
        return number if number is not None and self.settings.on_whatsapp(number) else None

    def reset(self, everything: bool = False) -> None:
        """Forget messages, calls, faults and settings; with `everything` the linked devices too."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.calls.clear()
        self.faults.clear()
        for line in self.lines.values():
            line.clear()
            self.register.keep(line)
            for device in line.devices.values():
                device.sends = device.duplicates = device.repeats = 0
                device.offline_until = 0.0
        if everything:
            for line in self.lines.values():
                for device in line.linked:
                    self.log_out(device, "unknown_companion")
            self.lines.clear()
            self.register.forget()
        self.use(WebSettings())

    def close(self) -> None:
        """Close every page."""
        for timer in self._timers:
            timer.cancel()
        for waiting in list(self.waiting.values()):
            waiting.stop()
            waiting.page.close()
        for line in self.lines.values():
            for device in line.devices.values():
                for page in device.pages:
                    page.close()

    def end(self) -> None:
        """Write down how far each phone's pages have been told, once no page can be told more."""
        for line in self.lines.values():
            line.log.give_back()
            self.register.keep(line)
        self.register.close()
