"""Faults that act at once: what each does to the pages it hits."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ..errors import NotFound
from .device import Device
from .faults import PER_SEND, WebFault
from .incoming import garbage

if TYPE_CHECKING:
    from .state import Web


def put_fault(state: Web, rule: WebFault) -> WebFault:
    """Let something go wrong: now, or with the sends that come. `NotFound` when there is nobody to hit now."""
    if rule.kind in PER_SEND:
        state.faults.add(rule)
        return rule
    hit = [device for line in state.lines.values() for device in line.linked if rule.hits_device(device)]
    pages = [w.page for w in state.waiting.values() if rule.phone is None and rule.device in (None, w.id)]
    if rule.kind in ("conflict", "deprecate", "crash", "freeze", "storage_error"):
        pages += [device.page for device in hit if device.page is not None]
        if rule.kind == "conflict":
            pages = [page for page in pages if page.device is not None]
        for page in pages:
            page.tell({"k": "do", "what": rule.kind, "seconds": rule.seconds})
            if rule.kind == "conflict":
                page.active = False
                if page.device is not None:
                    page.device.state = "away"
        rule.hits = len(pages)
    else:
        for device in hit:
            _hit(state, device, rule)
        rule.hits = len(hit)
    if rule.hits == 0:
        raise NotFound("No page or device is there to be hit: see GET /_sim/web/devices.", {"kind": "hits nobody"})
    if rule.kind == "offline" and rule.seconds is None:
        state.faults.add(rule)
    return rule


def _hit(state: Web, device: Device, rule: WebFault) -> None:
    if rule.kind == "logout":
        state.log_out(device, "user_initiated")
    elif rule.kind == "garbage":
        garbage(state, state.lines[device.phone], rule.count or 9)
    elif rule.kind == "offline":
        seconds = math.inf if rule.seconds is None else rule.seconds
        device.offline_until = asyncio.get_running_loop().time() + seconds
        for page in list(device.pages):
            page.close()


def remove_faults(state: Web, kind: str | None) -> None:
    """Remove the rules of a kind, or all; devices that were kept offline may come back."""
    for rule in state.faults.remove(kind):
        if rule.kind == "offline":
            for line in state.lines.values():
                for device in line.linked:
                    if rule.hits_device(device):
                        device.offline_until = 0.0
