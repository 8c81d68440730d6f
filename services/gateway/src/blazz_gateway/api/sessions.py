"""The code to scan: as JSON, or as a picture that a page can show."""

from base64 import b64decode
from typing import Annotated
from uuid import UUID

from blazz_chassis.errors import Unavailable
from blazz_contracts.views.session import QrView
from fastapi import APIRouter, Header, Response

from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.role import Permission
from blazz_gateway.web_session import WebSessions

_PNG = "image/png"
_PICTURE = f"data:{_PNG};base64,"
# A code is worth something for seconds, and whoever sees it can link a phone.
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def router(door: Door, sessions: WebSessions) -> APIRouter:
    """`GET /api/v1/sessions/{session_id}/qr` and `/qr.png`."""
    routes = APIRouter(prefix="/api/v1/sessions/{session_id:uuid}", tags=["sessions"])
    # Whoever sees the code can link a phone of theirs: that takes the right to change numbers.
    Owner = Annotated[Actor, door.allow(Permission.CHANNELS_WRITE)]  # noqa: N806 - a type

    @routes.get("/qr", response_model=QrView, responses={200: {"content": {_PNG: {"schema": {"format": "binary"}}}}})
    async def qr(actor: Owner, session_id: UUID, accept: Annotated[str, Header()] = "") -> Response:
        """The code to scan now; with `Accept: image/png` its picture."""
        shown = await sessions.qr(actor, session_id)
        if accept.partition(",")[0].partition(";")[0].strip().lower() == _PNG:
            return _picture(shown)
        return Response(shown.model_dump_json(), media_type="application/json", headers=_PRIVATE)

    @routes.get("/qr.png", response_class=Response, responses={200: {"content": {_PNG: {}}}})
    async def qr_png(actor: Owner, session_id: UUID) -> Response:
        """The picture of the code to scan now."""
        return _picture(await sessions.qr(actor, session_id))

    return routes


def _picture(shown: QrView) -> Response:
    if not shown.image.startswith(_PICTURE):
        raise Unavailable("there is no picture of this code; take the code itself")
    return Response(b64decode(shown.image.removeprefix(_PICTURE)), media_type=_PNG, headers=_PRIVATE)
