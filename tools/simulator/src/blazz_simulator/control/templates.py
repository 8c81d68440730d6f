"""/_sim/templates: approve, reject, pause, disable, as Meta's review would."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from ..errors import NotFound
from ..keys import WHATSAPP
from ..template_review import change_quality, change_status
from ..templates import Status
from .endpoint import answer, json_object, parse


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    reason: str = Field(default="NONE", max_length=200)
    quality: Literal["GREEN", "YELLOW", "RED", "UNKNOWN"] | None = None


async def get_templates(request: web.Request) -> web.Response:
    """List the templates of every WABA, each with its `waba_id`."""
    whatsapp = request.app[WHATSAPP]
    wabas = dict.fromkeys(account.waba_id for account in whatsapp.accounts)
    shown = [{"waba_id": waba, **t.view()} for waba in wabas for t in whatsapp.templates.of_waba(waba)]
    return answer({"templates": shown})


async def put_template(request: web.Request) -> web.Response:
    """Change a template's status or quality; the business is told by webhook."""
    whatsapp = request.app[WHATSAPP]
    template = whatsapp.templates.by_id(request.match_info["id"])
    if template is None:
        raise NotFound("There is no such template: see GET /_sim/templates.", {"id": "unknown"})
    change = parse(_Change, await json_object(request))
    if change.status is not None:
        change_status(whatsapp, template, change.status, change.reason)
    if change.quality is not None:
        change_quality(whatsapp, template, change.quality)
    return answer({"waba_id": template.waba_id, **template.view()})
