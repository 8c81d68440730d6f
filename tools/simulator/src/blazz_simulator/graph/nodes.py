"""Objects the path names without an edge: a number, a WABA, a medium or a template, by what the id belongs to."""

from aiohttp import web

from ..keys import WHATSAPP
from .endpoint import phone_number, token_of, waba
from .errors import GraphError, invalid, no_object
from .media import delete_media, get_media
from .numbers import get_number, get_waba, post_number
from .templates import get_template, post_template


async def node(request: web.Request) -> web.StreamResponse:
    """Read, change or delete an object."""
    whatsapp, object_id, method = request.app[WHATSAPP], request.match_info["object_id"], request.method
    token_of(request)
    if (upload := whatsapp.media.find(object_id)) is not None:
        if method == "GET":
            return await get_media(request, upload)
        if method == "DELETE":
            return await delete_media(request, upload)
    elif (template := whatsapp.templates.by_id(object_id)) is not None:
        if method == "GET":
            return await get_template(request, template)
        if method == "POST":
            return await post_template(request, template)
    elif whatsapp.accounts.find(object_id) is not None:
        if method == "GET":
            return await get_number(request, phone_number(request))
        if method == "POST":
            return await post_number(request, phone_number(request))
    elif whatsapp.accounts.of_waba(object_id) and method == "GET":
        return await get_waba(request, waba(request))
    elif not whatsapp.accounts.knows_token(token_of(request)):
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
    raise no_object(object_id, method)


async def unknown(request: web.Request) -> web.StreamResponse:
    """Refuse a path the Graph API does not have, or the simulator does not play."""
    token_of(request)
    rest = request.match_info["rest"]
    if request.method not in ("GET", "POST", "DELETE"):
        raise invalid(f"Unsupported method {request.method}.")
    raise GraphError(2500, f"Unknown path: {request.path}", message=f"Unknown path components: {rest}", http=400)
