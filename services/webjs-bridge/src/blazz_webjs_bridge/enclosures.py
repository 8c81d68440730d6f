"""Files on their way into the page: fetched from chat's library or from a link onto this machine's disk, streamed."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import httpx
from blazz_chassis.addresses import AddressRefused, HostNotFound, HostNotResolved, check_outside
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import Unavailable
from blazz_chassis.http_client import InternalClient
from blazz_contracts.content import Document
from blazz_contracts.events import SessionSend

from blazz_webjs_bridge.outgoing import LARGEST, LIMITS, MEDIA, fits
from blazz_webjs_bridge.page.calls import Send
from blazz_webjs_bridge.refusals import (
    LINK_FAILED,
    LINK_NOT_FOUND,
    LINK_NOT_RESOLVED,
    LINK_REFUSED,
    NO_FILE,
    TOO_LARGE,
    WRONG_TYPE,
    Refused,
)

_UNTOLD = ("", "application/octet-stream", "binary/octet-stream")  # as stores of files say of what they do not know
_AT_ONCE = 4  # files that are fetched at once, for all sessions of the instance


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    mime_type: str
    filename: str


class Enclosures:
    """Brings the files that messages show."""

    def __init__(
        self, chat: InternalClient, outside: httpx.AsyncClient, *, public_hosts_only: bool, limit: float
    ) -> None:
        """`limit`: seconds that one file may take."""
        self._chat, self._outside = chat, outside
        self._public_hosts_only, self._limit = public_hosts_only, limit
        self._places = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def added(self, event: SessionSend, send: Send, folder: Path) -> AsyncIterator[Send]:
        """The call with the message's file, which lies in `folder` until the block ends. Raises `Refused`."""
        if not isinstance(event.content, MEDIA):
            yield send
            return
        path = folder / uuid4().hex
        try:
            file = await self._brought(event, path)
            yield send.model_copy(
                update={"path": file.path, "mime_type": file.mime_type, "filename": send.filename or file.filename}
            )
        finally:
            path.unlink(missing_ok=True)

    async def _brought(self, event: SessionSend, path: Path) -> _File:
        async with self._places:
            try:
                async with asyncio.timeout(self._limit):
                    return await self._bring(event, path)
            except TimeoutError:
                raise Refused(LINK_FAILED) from None

    async def _bring(self, event: SessionSend, path: Path) -> _File:
        content = event.content
        assert isinstance(content, MEDIA)
        most = LIMITS.get(content.type, LARGEST)
        if content.media_id is not None:
            file = await self._from_library(event.workspace_id, content.media_id, path, most)
        else:
            assert content.link is not None
            file = await self._from_link(content.link, path, most)
            named = isinstance(content, Document) and content.filename
            file = _File(path, file.mime_type, named or file.filename)
        if not fits(content.type, file.mime_type):
            raise Refused(WRONG_TYPE)
        return file

    async def _from_library(self, workspace_id: UUID, media_id: UUID, path: Path, most: int) -> _File:
        about = WorkspaceContext(workspace_id=workspace_id)
        try:
            answer = await self._chat.open("GET", f"/internal/media/{media_id}/content", about)
            async with aclosing(answer):
                if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY):
                    raise Refused(NO_FILE)
                if not answer.is_success:
                    raise Unavailable("chat does not hand the file over right now")
                await _keep(answer, path, most)
                mime_type = answer.headers.get("content-type", "application/octet-stream").partition(";")[0]
                return _File(path, mime_type, _named(answer.headers.get("content-disposition", "")) or "file")
        except httpx.HTTPError as error:
            raise Unavailable("chat does not hand the file over right now") from error

    async def _from_link(self, link: str, path: Path, most: int) -> _File:
        try:
            await check_outside(link, local_allowed=not self._public_hosts_only)
        except HostNotResolved:
            raise Refused(LINK_NOT_RESOLVED) from None
        except HostNotFound:
            raise Refused(LINK_NOT_FOUND) from None
        except AddressRefused:
            raise Refused(LINK_REFUSED) from None
        try:
            async with self._outside.stream("GET", link) as answer:
                if not answer.is_success:
                    raise Refused(LINK_FAILED)
                await _keep(answer, path, most)
                mime_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        except (httpx.InvalidURL, ValueError):
            # Hosts that no client can write down, such as digits of another script: no later try will do better.
            raise Refused(LINK_REFUSED) from None
        except httpx.HTTPError:
            raise Refused(LINK_FAILED) from None
        name = unquote(urlsplit(link).path.rsplit("/", 1)[-1])[:200] or "file"
        if mime_type in _UNTOLD:
            mime_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return _File(path, mime_type, name)


async def _keep(answer: httpx.Response, path: Path, most: int) -> None:
    size = 0
    with path.open("wb") as file:
        async for part in answer.aiter_bytes():
            size += len(part)
            if size > most:
                raise Refused(TOO_LARGE)
            await asyncio.to_thread(file.write, part)
    if size == 0:
        raise Refused(LINK_FAILED)


def _named(disposition: str) -> str | None:
    _, _, encoded = disposition.partition("filename*=UTF-8''")
    return unquote(encoded.partition(";")[0])[:240] or None if encoded else None
