"""Files that customers sent, brought from the page into chat's library, streamed over this machine's disk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import httpx
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import Invalid, TooLarge, Unavailable
from blazz_chassis.http_client import InternalClient

from blazz_webjs_bridge.outgoing import LARGEST
from blazz_webjs_bridge.page.calls import Download, Page
from blazz_webjs_bridge.page.words import WebMessage
from blazz_webjs_bridge.session import Session

_PART = 256 * 1024  # bytes read at once
_TRIES = 5
_REFUSED = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNSUPPORTED_MEDIA_TYPE, httpx.codes.UNPROCESSABLE_ENTITY})
_AGAIN = 1.0  # seconds between two tries while chat is away; times the number of the try


class ReceivedFiles:
    """Keeps what customers sent."""

    def __init__(self, chat: InternalClient) -> None:
        self._chat = chat

    async def keep(self, session: Session, page: Page, message: WebMessage) -> UUID:
        """Download the message's file and hand it to chat's library; returns its id there.

        Raises `PageError` when the page does not give it, `TooLarge`, `Invalid` when chat will never take it, and
        `Unavailable` when chat stays away.
        """
        if message.file is not None and message.file.size is not None and message.file.size > LARGEST:
            raise TooLarge("the file is larger than 100 MB")
        path = await page.call(Download(id=message.id, limit=LARGEST))
        try:
            for attempt in range(1, _TRIES + 1):
                try:
                    return await self._upload(session, message, path)
                except Unavailable:
                    if attempt == _TRIES:
                        raise
                    await asyncio.sleep(_AGAIN * attempt)
        finally:
            await asyncio.to_thread(path.unlink, True)
        raise AssertionError("unreachable")

    async def _upload(self, session: Session, message: WebMessage, path: Path) -> UUID:
        assert message.file is not None
        size = (await asyncio.to_thread(path.stat)).st_size
        headers = {"content-type": message.file.mime_type.partition(";")[0], "content-length": str(size)}
        if message.file.filename:
            headers["x-filename"] = quote(message.file.filename[:200], safe="")
        try:
            answer = await self._chat.request(
                "POST",
                "/internal/media?received=true",
                WorkspaceContext(workspace_id=session.workspace_id),
                headers=headers,
                content=_parts(path),
            )
        except httpx.HTTPError as error:
            raise Unavailable("chat does not take files right now") from error
        if answer.status_code == httpx.codes.CREATED:
            return UUID(answer.json()["id"])
        if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise TooLarge("the file is larger than chat takes")
        if answer.status_code in _REFUSED:
            raise Invalid(f"chat refused the file (HTTP {answer.status_code})", code="media_refused")
        raise Unavailable(f"chat did not take the file (HTTP {answer.status_code})")


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while part := await asyncio.to_thread(file.read, _PART):
            yield part
