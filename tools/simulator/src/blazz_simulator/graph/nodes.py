"""Objects the path names without an edge: they answer by what they are."""

from aiohttp import web

from .endpoint import token_of
from .errors import GraphError, no_object


async def unknown(request: web.Request) -> web.StreamResponse:
    """Refuse a path the Graph API does not have, or the simulator does not play."""
    token_of(request)
    if request.match_info["rest"].strip("/"):
        raise GraphError(
            2500,
            f"Unknown path: {request.path}",
            message=f"Unknown path components: {request.match_info['rest']}",
            http=400,
        )
    raise no_object(request.match_info["object_id"], request.method)
