"""GET /_sim/webhooks: what was told, and what still waits."""

from aiohttp import web

from ..keys import WHATSAPP
from .endpoint import answer


async def get_webhooks(request: web.Request) -> web.Response:
    """Return counts: `scheduled` (not due yet), `pending` (due), `delivered`, `failed` tries, `oldest_pending`."""
    return answer(request.app[WHATSAPP].outbox.view())
