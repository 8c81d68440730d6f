"""The Graph API's paths: `/{version}/{object}[/{edge}]`, version `v` and two or more digits, a dot, a digit."""

from aiohttp import web

from . import messages, nodes
from .endpoint import Handler, endpoint

_VERSION = r"/{version:v\d\d+\.\d}"

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    # First the hot one: routes are tried in order.
    ("POST", "/{object_id}/messages", messages.post_messages),
)


def add_graph_routes(app: web.Application) -> None:
    """Put the Graph API on an application."""
    for method, path, handler in _ROUTES:
        app.router.add_route(method, _VERSION + path, endpoint(handler))
    # Whatever else is asked of the Graph API is refused as Meta refuses it.
    app.router.add_route("*", _VERSION + "/{object_id}{rest:.*}", endpoint(nodes.unknown))
