"""Files over HTTP: streamed in and out."""

import re
from typing import Annotated
from urllib.parse import quote, unquote
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_chassis.errors import Forbidden, Invalid
from blazz_contracts.views.media import MediaView
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from blazz_chat.media import LARGEST, Library, limit_of

MAX_FILENAME = 240
_UNKNOWN_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def router(library: Library) -> APIRouter:
    """Routes under `/internal/media`."""
    routes = APIRouter(prefix="/internal/media")

    @routes.post("", status_code=201)
    async def upload(
        context: InternalContext,
        request: Request,
        content_type: Annotated[str, Header(max_length=255)] = _UNKNOWN_TYPE,
        x_filename: Annotated[str | None, Header(max_length=2048)] = None,
        received: Annotated[bool, Query()] = False,
    ) -> MediaView:
        """The body is the file; its name comes percent-encoded in `X-Filename`.

        `received`: a customer sent it, so that WhatsApp's limits for what we send do not apply. For services alone.
        """
        if received and context.actor_kind != "service":
            raise Forbidden("only a service hands over what customers sent", code="service_required")
        mime_type = content_type.partition(";")[0].strip().lower()
        if _TYPE.fullmatch(mime_type) is None:
            if not received:
                raise Invalid("name the file's type as type/subtype", field="content-type")
            mime_type = _UNKNOWN_TYPE  # customers' phones say what they like
        return await library.upload(
            context.workspace_id,
            request.stream(),
            mime_type=mime_type,
            filename=_clean(unquote(x_filename)) if x_filename else None,
            limit=LARGEST if received else limit_of(mime_type),
        )

    @routes.get("/{media_id}")
    async def describe(context: InternalContext, media_id: UUID) -> MediaView:
        """What is known of a file."""
        return await library.describe(context.workspace_id, media_id)

    @routes.get("/{media_id}/content")
    async def content(context: InternalContext, media_id: UUID) -> StreamingResponse:
        """The file. Shown by no browser as a page of ours: it is always an attachment."""
        about = await library.describe(context.workspace_id, media_id)
        headers = {
            "Content-Length": str(about.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(about.filename or str(media_id), safe='')}",
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingResponse(
            await library.read(context.workspace_id, media_id), media_type=about.mime_type, headers=headers
        )

    return routes


def _clean(name: str) -> str:
    """A name that any system takes: phones write spaces and marks into names that no terminal shows."""
    shown = "".join(character if character.isprintable() else "_" for character in name)
    return shown.replace("/", "_").replace("\\", "_")[-MAX_FILENAME:]  # its ending is at the end
