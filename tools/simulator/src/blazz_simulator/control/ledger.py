"""GET /_sim/ledger: every accepted send, in order."""

from aiohttp import web

from ..keys import WHATSAPP
from ..ledger import entries_json
from .endpoint import number

LIMIT_DEFAULT = 1000
LIMIT_MAX = 10_000


async def get_ledger(request: web.Request) -> web.Response:
    """Return the entries after `after` (0: from the oldest kept), at most `limit`, and the next `after`."""
    after = number(request, "after", 0, 0, 2**62)
    limit = number(request, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    entries, next_after = request.app[WHATSAPP].ledger.after(after, limit)
    return web.Response(body=entries_json(entries, next_after), content_type="application/json")
