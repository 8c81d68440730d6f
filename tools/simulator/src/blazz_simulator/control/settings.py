"""/_sim/health, /_sim/reset, /_sim/statuses, /_sim/rules."""

import time

from aiohttp import web

from ..errors import BadInput
from ..keys import WHATSAPP
from ..rules import RuleSettings
from ..webhooks.statuses import StatusSettings
from .endpoint import answer, json_object, parse


async def get_health(request: web.Request) -> web.Response:
    """Say that the simulator serves, and what it holds."""
    whatsapp = request.app[WHATSAPP]
    return answer(
        {
            "status": "ok",
            "uptime_seconds": round(time.time() - whatsapp.started, 3),
            "ledger": {"first": whatsapp.ledger.first, "last": whatsapp.ledger.last},
            "phones": len(whatsapp.phones),
            "webhooks_pending": whatsapp.outbox.waiting,
        }
    )


async def post_reset(request: web.Request) -> web.Response:
    """Go back to the start; `{"accounts": true}`, `{"templates": true}`, `{"web": true}` forget those too."""
    data = await json_object(request)
    wrong = {name: "must be true or false" for name, value in data.items() if not isinstance(value, bool)}
    wrong |= dict.fromkeys(set(data) - {"accounts", "templates", "web"}, "unknown field")
    if wrong:
        raise BadInput("Only accounts, templates and web can be named, as true or false.", wrong)
    whatsapp = request.app[WHATSAPP]
    whatsapp.reset(
        accounts=data.get("accounts", False), templates=data.get("templates", False), web=data.get("web", False)
    )
    return answer({"success": True, "next": whatsapp.ledger.last})


async def get_statuses(request: web.Request) -> web.Response:
    """Return how statuses are made and told."""
    return answer(request.app[WHATSAPP].outbox.statuses.model_dump())


async def put_statuses(request: web.Request) -> web.Response:
    """Make and tell statuses another way; what is not named has its default."""
    data = await json_object(request)
    whatsapp = request.app[WHATSAPP]
    whatsapp.outbox.use(parse(StatusSettings, data))
    return answer(whatsapp.outbox.statuses.model_dump())


async def get_rules(request: web.Request) -> web.Response:
    """Return which of WhatsApp's limits hold."""
    return answer(request.app[WHATSAPP].rules.settings.model_dump())


async def put_rules(request: web.Request) -> web.Response:
    """Let WhatsApp's limits hold; what is not named is off."""
    rules = request.app[WHATSAPP].rules
    rules.use(parse(RuleSettings, await json_object(request)))
    return answer(rules.settings.model_dump())
