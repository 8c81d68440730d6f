"""The page's files, its QR code, and the media it sends and shows."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
from importlib.resources import files

import segno
from aiohttp import web

from ..errors import BadInput, NotFound
from ..graph.media import file_of
from ..identifiers import token
from ..keys import WHATSAPP
from ..media import DOCUMENT_MAX

_PAGE = files("blazz_simulator") / "web" / "page"
_TYPES = {".css": "text/css", ".js": "text/javascript"}

_CSP = (
    "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self' data: blob: ws: "
    "wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""With a nonce, as WhatsApp's own page: a script tag put in later does not run."""

_ORDER = ("loader", "emitter", "model", "collection", "wid", "message_key", "enums", "bytes")
"""These first; every other file only defines modules, in any order, and `main` starts them."""


def _scripts() -> list[str]:
    names = sorted(f.name[:-3] for f in _PAGE.iterdir() if f.name.endswith(".js"))
    rest = [name for name in names if name not in _ORDER and name != "main"]
    return [*_ORDER, *rest, "main"]


async def get_page(_: web.Request) -> web.StreamResponse:
    """Serve the page with a nonce of its own."""
    nonce = secrets.token_urlsafe(16)
    tags = "\n".join(f'<script nonce="{nonce}" src="/web/{name}.js"></script>' for name in _scripts())
    html = (_PAGE / "index.html").read_text().replace("<!-- scripts -->", tags)
    headers = {"Content-Security-Policy": _CSP.format(nonce=nonce), "Cache-Control": "no-store"}
    return web.Response(text=html, content_type="text/html", headers=headers)


async def get_file(request: web.Request) -> web.StreamResponse:
    """Serve a script or the stylesheet."""
    name = request.match_info["name"]
    file = _PAGE / name
    if not file.is_file():
        raise NotFound("There is no such file.", {"name": "unknown"})
    kind = _TYPES["." + name.rsplit(".", 1)[-1]]
    return web.Response(
        body=file.read_bytes(), content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"}
    )


async def get_qr(request: web.Request) -> web.StreamResponse:
    """Draw a QR code of `code`."""
    code = request.query.get("code", "")
    if not 1 <= len(code) <= 1000:
        raise BadInput("code is 1 to 1000 characters.", {"code": "must be 1 to 1000 characters"})
    picture = io.BytesIO()
    segno.make(code, error="l", micro=False).save(picture, kind="svg", border=2, scale=4, xmldecl=False)
    return web.Response(body=picture.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def post_media(request: web.Request) -> web.StreamResponse:
    """Take an upload of a page (its body is the file); returns where it can be had, its size and digest."""
    state = request.app[WHATSAPP].web
    device = state.device(request.headers.get("X-Device", ""))
    if device is None or device.token != request.headers.get("X-Token") or device.state == "logged_out":
        raise web.HTTPUnauthorized
    library = request.app[WHATSAPP].media
    path = library.folder / token(20)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("wb") as file:
            async for chunk in request.content.iter_chunked(64 * 1024):
                size += len(chunk)
                if size > DOCUMENT_MAX:
                    raise web.HTTPRequestEntityTooLarge(DOCUMENT_MAX, size)
                digest.update(chunk)
                file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    mime_type = request.content_type or "application/octet-stream"
    upload = library.adopt(device.phone, mime_type, request.query.get("filename"), path, digest.hexdigest())
    return web.json_response(
        {"directPath": f"/web/media/{upload.id}", "size": size, "filehash": base64.b64encode(digest.digest()).decode()}
    )


async def get_media(request: web.Request) -> web.StreamResponse:
    """Serve media to a page."""
    upload = request.app[WHATSAPP].media.find(request.match_info["id"])
    if upload is None:
        raise NotFound("There is no such media, or no longer.", {"id": "unknown"})
    return file_of(upload)
