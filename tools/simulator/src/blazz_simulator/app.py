"""Assembly: settings in, a web application out."""

from collections.abc import AsyncIterator

from aiohttp import web

from .control.routes import add_control_routes
from .graph.routes import add_graph_routes
from .keys import WHATSAPP
from .phones.pages import add_pages
from .settings import Settings
from .web.routes import add_web_routes
from .whatsapp import WhatsApp

BODY_MAX = 16 * 1024 * 1024
"""Bytes of a JSON body; uploads are streamed and have limits of their own."""


def build(settings: Settings) -> web.Application:
    """Return the simulator as an application; its state lives as long as it runs."""
    app = web.Application(client_max_size=BODY_MAX)
    whatsapp = WhatsApp(settings)
    app[WHATSAPP] = whatsapp

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        await whatsapp.open()
        yield
        await whatsapp.close()

    async def end_streams(_: web.Application) -> None:
        whatsapp.phones.close()
        whatsapp.web.close()

    app.cleanup_ctx.append(lifetime)
    app.on_shutdown.append(end_streams)
    add_graph_routes(app)
    add_control_routes(app)
    add_pages(app)
    add_web_routes(app)
    return app
