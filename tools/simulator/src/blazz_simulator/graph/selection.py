"""`fields=` and paging, as all of the Graph API has them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from aiohttp import web

from .errors import invalid

_NESTED = re.compile(r"\{[^{}]*\}|\([^()]*\)")

LIMIT_DEFAULT = 25
LIMIT_MAX = 1000


def selected(
    request: web.Request, node: dict[str, Any], always: tuple[str, ...], with_id: bool = True
) -> dict[str, Any]:
    """Return the fields of a node the query asks for (nested selections give the whole field), and its id."""
    asked = request.query.get("fields")
    names = [name.strip() for name in _NESTED.sub("", asked).split(",")] if asked else list(always)
    shown = {name: node[name] for name in names if name in node}
    return shown | {"id": node["id"]} if with_id else shown


def page(request: web.Request, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one page of nodes with cursors, by `limit`, `after` and `before`."""
    limit = _limit(request)
    if "after" in request.query:
        start = _position(request.query["after"]) + 1
    elif "before" in request.query:
        start = max(0, _position(request.query["before"]) - limit)
    else:
        start = 0
    shown = nodes[start : start + limit]
    paging: dict[str, Any] = {}
    if shown:
        last = start + len(shown) - 1
        paging["cursors"] = {"before": _cursor(start), "after": _cursor(last)}
        if last + 1 < len(nodes):
            query = {**request.query, "limit": str(limit), "after": _cursor(last)}
            query.pop("before", None)
            paging["next"] = str(request.url.with_query(query))
        if start > 0:
            query = {**request.query, "limit": str(limit), "before": _cursor(start)}
            query.pop("after", None)
            paging["previous"] = str(request.url.with_query(query))
    return {"data": shown, "paging": paging} if paging else {"data": shown}


def _limit(request: web.Request) -> int:
    given = request.query.get("limit", str(LIMIT_DEFAULT))
    if not given.isdigit() or int(given) < 1:
        raise invalid("Param limit must be a positive number.")
    return min(int(given), LIMIT_MAX)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError):
        raise invalid("Invalid cursors values.") from None
