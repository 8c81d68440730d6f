"""Media given by link: fetched as Meta does, when the rule `fetch_links` is on."""

from __future__ import annotations

import aiohttp

from .media import MB
from .message import Message
from .whatsapp import WhatsApp

FETCH_SECONDS = 10
FETCH_MAX = 100 * MB

_LINKED = ("image", "video", "audio", "document", "sticker")


def links_of(message: Message) -> list[str]:
    """Return the media links of a message: of its own type, or of an interactive or template header."""
    parts = [message.body]
    if message.type == "interactive":
        header = message.body.get("header") or {}
        parts = [header.get(header.get("type"))]
    elif message.type == "template":
        parts = [
            parameter.get(parameter.get("type"))
            for component in message.body.get("components") or []
            for parameter in component.get("parameters") or []
        ]
    elif message.type not in _LINKED:
        return []
    return [part["link"] for part in parts if isinstance(part, dict) and part.get("link")]


def fetch_then_announce(whatsapp: WhatsApp, message: Message, links: list[str], delay: float) -> None:
    """Fetch the links in the background; tell the usual statuses when all could be, else a failed one."""
    whatsapp.spawn(_fetch_then_announce(whatsapp, message, links, delay))


async def _fetch_then_announce(whatsapp: WhatsApp, message: Message, links: list[str], delay: float) -> None:
    for link in links:
        if not await _reachable(whatsapp.outbox.client, link):
            whatsapp.outbox.fail(message, 131053, delay)
            return
    whatsapp.outbox.announce(message, delay)


async def _reachable(client: aiohttp.ClientSession, link: str) -> bool:
    got = 0
    try:
        async with client.get(link, timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS)) as answer:
            if answer.status != 200:
                return False
            async for chunk in answer.content.iter_chunked(64 * 1024):
                got += len(chunk)
                if got > FETCH_MAX:
                    return False
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return False
    return got > 0
