"""/_sim/web: link pages, list devices, settings, faults."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..errors import NotFound
from ..identifiers import wa_id
from ..keys import WHATSAPP
from ..web.addresses import lid_of
from ..web.device import Device
from ..web.faults import WebFault
from ..web.happenings import put_fault, remove_faults
from ..web.settings import WebSettings
from ..web.state import Web
from .endpoint import answer, json_object, parse


class _Link(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=4, max_length=1000)
    phone: str

    @field_validator("phone")
    @classmethod
    def _digits(cls, value: str) -> str:
        digits = wa_id(value)
        if digits is None:
            raise ValueError("must be a phone number of 7 to 15 digits with its country code")
        return digits


def _web(request: web.Request) -> Web:
    return request.app[WHATSAPP].web


def _shown(device: Device) -> web.Response:
    return answer({"device": device.view(f"{lid_of(device.phone)}@lid", 0)})


async def get_devices(request: web.Request) -> web.Response:
    """List the pages that wait for a scan, and every linked device."""
    return answer({"devices": _web(request).devices()})


async def post_scan(request: web.Request) -> web.Response:
    """Scan a QR code with a phone: `{code, phone}`."""
    link = parse(_Link, await json_object(request))
    return _shown(_web(request).scan(link.code, link.phone))


async def post_pair(request: web.Request) -> web.Response:
    """Type a pairing code into a phone: `{code, phone}`."""
    link = parse(_Link, await json_object(request))
    return _shown(_web(request).pair(link.code, link.phone))


async def delete_device(request: web.Request) -> web.Response:
    """Log a device out, as its phone's owner does."""
    state = _web(request)
    device = state.device(request.match_info["id"])
    if device is None or device.state == "logged_out":
        raise NotFound("There is no such linked device: see GET /_sim/web/devices.", {"id": "unknown"})
    state.log_out(device, "user_initiated")
    return _shown(device)


async def get_settings(request: web.Request) -> web.Response:
    """Return how WhatsApp Web behaves."""
    return answer(_web(request).settings.model_dump())


async def put_settings(request: web.Request) -> web.Response:
    """Let it behave another way; what is not named has its default."""
    state = _web(request)
    state.use(parse(WebSettings, await json_object(request)))
    return answer(state.settings.model_dump())


async def get_faults(request: web.Request) -> web.Response:
    """Return the faults that wait for sends, and what keeps devices offline."""
    return answer({"faults": _web(request).faults.view()})


async def put_faults(request: web.Request) -> web.Response:
    """Let something go wrong: `{kind, device?, phone?, count?, share?, seconds?}`."""
    state = _web(request)
    data: dict[str, Any] = await json_object(request)
    fault = put_fault(state, parse(WebFault, data))
    return answer({"fault": fault.model_dump(), "faults": state.faults.view()})


async def delete_faults(request: web.Request) -> web.Response:
    """Remove all faults, or with `?kind=` those of one kind."""
    state = _web(request)
    remove_faults(state, request.query.get("kind"))
    return answer({"faults": state.faults.view()})
