"""The Graph API's paths: `/{version}/{object}[/{edge}]`; the version is `v`, a number, a dot, a digit."""

from aiohttp import web

from . import media, messages, nodes, numbers, subscriptions, templates
from .endpoint import Handler, endpoint

_VERSION = r"/{version:v\d\d+\.\d}"

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    # First the hot one: routes are tried in order.
    ("POST", "/{object_id}/messages", messages.post_messages),
    ("POST", "/{object_id}/media", media.post_media),
    ("GET", "/{object_id}/message_templates", templates.get_templates),
    ("POST", "/{object_id}/message_templates", templates.post_templates),
    ("DELETE", "/{object_id}/message_templates", templates.delete_templates),
    ("POST", "/{object_id}/unpause", templates.post_unpause),
    ("GET", "/{object_id}/phone_numbers", numbers.get_numbers),
    ("GET", "/{object_id}/whatsapp_business_profile", numbers.get_profile),
    ("POST", "/{object_id}/whatsapp_business_profile", numbers.post_profile),
    ("POST", "/{object_id}/register", numbers.post_register),
    ("GET", "/{object_id}/subscribed_apps", subscriptions.get_subscribed_apps),
    ("POST", "/{object_id}/subscribed_apps", subscriptions.post_subscribed_apps),
    ("DELETE", "/{object_id}/subscribed_apps", subscriptions.delete_subscribed_apps),
    ("POST", "/{object_id}/subscriptions", subscriptions.post_subscriptions),
    ("GET", "/{object_id:oauth}/access_token", subscriptions.get_access_token),
    ("GET", "/{object_id}{slash:/?}", nodes.node),
    ("POST", "/{object_id}{slash:/?}", nodes.node),
    ("DELETE", "/{object_id}{slash:/?}", nodes.node),
)


def add_graph_routes(app: web.Application) -> None:
    """Put the Graph API on an application."""
    for method, path, handler in _ROUTES:
        app.router.add_route(method, _VERSION + path, endpoint(handler))
    app.router.add_get(media.DOWNLOAD_PATH, endpoint(media.download))
    # Whatever else is asked of the Graph API is refused as Meta refuses it.
    app.router.add_route("*", _VERSION + "/{object_id}{rest:.*}", endpoint(nodes.unknown))
