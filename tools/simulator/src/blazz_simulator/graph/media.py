"""Media: upload, look up, download, delete."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from aiohttp import BodyPartReader, web

from ..accounts import Account
from ..identifiers import token
from ..keys import WHATSAPP
from ..media import Upload, size_limit, supported
from .endpoint import answer, authorized, disturb, phone_number, token_of
from .errors import GraphError, invalid, no_object

DOWNLOAD_PATH = "/whatsapp_business/attachments/"
"""Where media URLs point, as at Meta's lookaside.fbsbx.com."""

_FIELD_MAX = 1024


async def post_media(request: web.Request) -> web.StreamResponse:
    """Take a multipart upload of `file`, `type` and `messaging_product`; returns `{"id"}`."""
    account = phone_number(request)
    whatsapp = request.app[WHATSAPP]
    if cut := await disturb(whatsapp, request, "media", account.phone_number_id):
        return cut
    if request.content_type != "multipart/form-data":
        raise invalid("The upload must be multipart/form-data with file, type and messaging_product.")
    values: dict[str, str] = {}
    path = whatsapp.media.folder / token(20)
    sha256 = filename = mime_type = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise invalid("Nested multipart bodies are not allowed.")
            if part.name == "file":
                filename = part.filename
                mime_type = _mime_type(part, values.get("type"))
                sha256 = await _store(part, path, size_limit(mime_type))
            else:
                values[part.name] = (await part.read_chunk(_FIELD_MAX)).decode(errors="replace")
        if values.get("messaging_product") != "whatsapp":
            raise GraphError(100, message="(#100) The parameter messaging_product is required.")
        if sha256 is None or mime_type is None:
            raise GraphError(100, message="(#100) The parameter file is required.")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    upload = whatsapp.media.adopt(account.phone_number_id, mime_type, filename, path, sha256)
    return answer({"id": upload.id})


def _mime_type(part: BodyPartReader, declared: str | None) -> str:
    own = part.headers.get("Content-Type", "")
    for candidate in (own, declared or ""):
        if candidate and supported(candidate):
            return candidate
    raise invalid(
        "Param file must be a file with one of WhatsApp's supported types "
        f"(image/jpeg, image/png, image/webp, video/mp4, audio/ogg, application/pdf, ...). Received '{own}'."
    )


async def _store(part: BodyPartReader, path: Path, most: int) -> str:
    """Write a part to a file and return its SHA-256; 131053 when it is empty or too large."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while chunk := await part.read_chunk(64 * 1024):
            size += len(chunk)
            if size > most:
                raise GraphError(131053, f"The file is larger than {most} bytes, the limit for its type.")
            digest.update(chunk)
            file.write(chunk)
    if size == 0:
        raise GraphError(131053, "The file is empty.")
    return digest.hexdigest()


def owner(request: web.Request, upload: Upload) -> Account:
    """Return the account of an upload when the call's token may use it."""
    return authorized(request, request.app[WHATSAPP].accounts.find(upload.phone_number_id), upload.id)


async def get_media(request: web.Request, upload: Upload) -> web.StreamResponse:
    """Return a download URL, valid for five minutes, and what is known of the file."""
    account = owner(request, upload)
    whatsapp = request.app[WHATSAPP]
    if cut := await disturb(whatsapp, request, "media", account.phone_number_id):
        return cut
    _same_number(request, upload)
    base = whatsapp.settings.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
    until = int(time.time() + whatsapp.settings.media_url_seconds)
    hash_ = whatsapp.media.url_token(upload)
    return answer(
        {
            "messaging_product": "whatsapp",
            "url": f"{base}{DOWNLOAD_PATH}?mid={upload.id}&ext={until}&hash={hash_}",
            "mime_type": upload.mime_type,
            "sha256": upload.sha256,
            "file_size": upload.size,
            "id": upload.id,
        }
    )


async def delete_media(request: web.Request, upload: Upload) -> web.StreamResponse:
    """Delete an upload."""
    owner(request, upload)
    _same_number(request, upload)
    return answer({"success": request.app[WHATSAPP].media.remove(upload.id)})


def _same_number(request: web.Request, upload: Upload) -> None:
    """Refuse when the query names another business number than the one the media belongs to."""
    named = request.query.get("phone_number_id")
    if named is not None and named != upload.phone_number_id:
        raise no_object(upload.id, request.method)


async def download(request: web.Request) -> web.StreamResponse:
    """Serve the bytes; 401 for a wrong token, 404 when the URL has expired."""
    whatsapp = request.app[WHATSAPP]
    given = token_of(request)
    upload = whatsapp.media.find(request.query.get("mid", ""))
    until = 0.0 if upload is None else upload.urls.get(request.query.get("hash", ""), 0.0)
    if upload is None or until <= time.time():
        raise GraphError(100, "The media URL has expired or is unknown: ask for a new one.", http=404)
    account = whatsapp.accounts.find(upload.phone_number_id)
    if account is None or given != account.access_token:
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
    if cut := await disturb(whatsapp, request, "media", upload.phone_number_id):
        return cut
    return file_of(upload)


def file_of(upload: Upload) -> web.FileResponse:
    """Return the bytes of an upload with their type."""
    return web.FileResponse(upload.path, headers={"Content-Type": upload.mime_type})
