"""The pages: an index, the list of phones, one phone; and the live events they show."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import orjson
from aiohttp import web

from ..control.endpoint import endpoint
from ..errors import BadInput, NotFound
from ..graph.media import file_of
from ..keys import WHATSAPP
from .phonebook import phone_key

_PAGES = files("blazz_simulator") / "pages"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}

KEEPALIVE_SECONDS = 15
"""A comment is sent this often, so that proxies and the page know the stream lives."""

_BURST = 100
"""Events written at once, when many wait."""


def _file(name: str) -> web.Response:
    kind = _TYPES["." + name.rsplit(".", 1)[-1]]
    return web.Response(
        body=(_PAGES / name).read_bytes(), content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"}
    )


async def get_index(_: web.Request) -> web.StreamResponse:
    """Show where everything is."""
    return _file("index.html")


async def get_phones(_: web.Request) -> web.StreamResponse:
    """Show the list of phones."""
    return _file("phones.html")


async def get_phone(request: web.Request) -> web.StreamResponse:
    """Show one phone, also one that got nothing yet; of one that is linked to WhatsApp Web all its chats.

    `to` shows a phone as a customer's, in its chat with that business.
    """
    owned = _key(request) in request.app[WHATSAPP].web.lines and "to" not in request.query
    return _file("owner.html" if owned else "phone.html")


async def get_static(request: web.Request) -> web.StreamResponse:
    """Serve a stylesheet or script."""
    name = request.match_info["name"]
    if not (_PAGES / name).is_file():
        raise NotFound("There is no such file.", {"name": "unknown"})
    return _file(name)


async def get_media(request: web.Request) -> web.StreamResponse:
    """Serve media to the pages, which have no access token."""
    upload = request.app[WHATSAPP].media.find(request.match_info["id"])
    if upload is None:
        raise NotFound("There is no such media, or no longer.", {"id": "unknown"})
    return file_of(upload)


def _key(request: web.Request) -> str:
    key = phone_key(request.match_info["number"])
    if key is None:
        raise BadInput(
            "Give a phone number with its country code, or a business-scoped user id.", {"number": "invalid"}
        )
    return key


async def get_phone_events(request: web.Request) -> web.StreamResponse:
    """Stream what happens on one phone."""
    key = _key(request)
    phone = request.app[WHATSAPP].phones.find(key)
    return await _stream(request, key if phone is None else phone.key)


async def get_all_events(request: web.Request) -> web.StreamResponse:
    """Stream what happens on any phone."""
    return await _stream(request, "*")


async def _stream(request: web.Request, key: str) -> web.StreamResponse:
    """Send server-sent events until the page goes, or has to load anew."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    phones = request.app[WHATSAPP].phones
    listener = phones.listen(key)
    try:
        await response.prepare(request)
        await response.write(b"retry: 500\n\n")
        while True:
            try:
                events = [await asyncio.wait_for(listener.get(), KEEPALIVE_SECONDS)]
            except TimeoutError:
                await response.write(b": alive\n\n")
                continue
            while not listener.empty() and len(events) < _BURST:
                events.append(listener.get_nowait())
            chunks = [
                b"event: %b\ndata: %b\n\n" % (event["event"].encode(), orjson.dumps(event))
                for event in events
                if event is not None
            ]
            if chunks:
                await response.write(b"".join(chunks))
            if None in events:
                break
    except ConnectionError:
        pass  # the page was closed
    finally:
        phones.unlisten(key, listener)
    return response


def add_pages(app: web.Application) -> None:
    """Put the pages on an application."""
    for path, handler in (
        ("/", get_index),
        ("/phones", get_phones),
        ("/phones/events", get_all_events),
        ("/phones/{number}", get_phone),
        ("/phones/{number}/events", get_phone_events),
        (r"/static/{name:\w+\.(?:js|css)}", get_static),
        ("/_sim/media/{id}", get_media),
    ):
        app.router.add_get(path, endpoint(handler))
