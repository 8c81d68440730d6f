"""The paths of the page, beside its control API."""

from aiohttp import web

from ..control.endpoint import endpoint
from .assets import get_file, get_media, get_page, get_qr, post_media
from .socket import get_socket


async def _to_page(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/web/")


def add_web_routes(app: web.Application) -> None:
    """Put WhatsApp Web on an application."""
    app.router.add_get("/web", endpoint(_to_page))
    app.router.add_get("/web/", endpoint(get_page))
    app.router.add_get("/web/qr.svg", endpoint(get_qr))
    app.router.add_get("/web/socket", get_socket)
    app.router.add_get(r"/web/{name:\w+\.(?:js|css)}", endpoint(get_file))
    app.router.add_post("/web/media", endpoint(post_media))
    app.router.add_get("/web/media/{id}", endpoint(get_media))
