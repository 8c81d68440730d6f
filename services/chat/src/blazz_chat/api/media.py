"""Files over HTTP: streamed in and out."""

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


def router(library: Library) -> APIRouter:
    """Routes under `/internal/media`."""
    routes = APIRouter(prefix="/internal/media")

    @routes.post("", status_code=201)
    async def upload(
        context: InternalContext,
        request: Request,
        content_type: Annotated[str, Header(max_length=255, pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$")],
        x_filename: Annotated[str | None, Header(max_length=2048)] = None,
        received: Annotated[bool, Query()] = False,
    ) -> MediaView:
        """The body is the file; its name comes percent-encoded in `X-Filename`.

        `received`: a customer sent it, so that WhatsApp's limits for what we send do not apply. For services alone.
        """
        if received and context.actor_kind != "service":
            raise Forbidden("only a service hands over what customers sent", code="service_required")
        filename = unquote(x_filename).replace("/", "_").replace("\\", "_") if x_filename else None
        if filename is not None and (len(filename) > MAX_FILENAME or not filename.isprintable()):
            raise Invalid(f"a file name has at most {MAX_FILENAME} printable characters", field="filename")
        mime_type = content_type.partition(";")[0].strip().lower()
        return await library.upload(
            context.workspace_id,
            request.stream(),
            mime_type=mime_type,
            filename=filename,
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
