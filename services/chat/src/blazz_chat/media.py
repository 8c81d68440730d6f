"""The library of files: uploads of the workspace and files that customers sent, kept in an object store."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import obstore
from blazz_chassis.database import Database
from blazz_chassis.errors import Invalid, NotFound, TooLarge, Unavailable
from blazz_chassis.ids import uuid7
from blazz_contracts.views.media import MediaView
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

# Meta's sizes (Cloud API, "Supported media types"), bytes. Anything else is a document.
LIMITS = {"image": 5_000_000, "video": 16_000_000, "audio": 16_000_000}
LARGEST = 100_000_000

_INSERT = """
insert into media (id, workspace_id, state, mime_type, size, sha256, filename)
values ($1, $2, 'ready', $3, $4, $5, $6) returning *
"""
_GET = "select * from media where workspace_id = $1 and id = $2"


def limit_of(mime_type: str) -> int:
    """The largest file of this type that WhatsApp takes, in bytes."""
    return LIMITS.get(mime_type.partition("/")[0], LARGEST)


def open_store(*, path: Path, url: str | None) -> ObjectStore:
    """A local folder by default, else the object store at `url`."""
    return from_url(url) if url else LocalStore(prefix=path, mkdir=True, automatic_cleanup=False)


class Library:
    """Files by workspace and id."""

    def __init__(self, open_store: Callable[[], ObjectStore], database: Database) -> None:
        """The store is opened at first use: a local folder is made then."""
        self._open_store = open_store
        self._database = database

    @cached_property
    def _store(self) -> ObjectStore:
        return self._open_store()

    async def upload(
        self, workspace_id: UUID, chunks: AsyncIterator[bytes], *, mime_type: str, filename: str | None, limit: int
    ) -> MediaView:
        """Take a file in. Raises `TooLarge` past `limit` bytes, `Invalid` when it is empty."""
        media_id = uuid7()
        size, sha256 = await self.keep(workspace_id, media_id, chunks, limit=limit)
        async with self._database.api(workspace_id) as connection:
            row = await connection.fetchrow(_INSERT, media_id, workspace_id, mime_type, size, sha256, filename)
        return _view(row)

    async def keep(
        self, workspace_id: UUID, media_id: UUID, chunks: AsyncIterator[bytes], *, limit: int
    ) -> tuple[int, str]:
        """Write a file, a part at a time; returns its size and its SHA-256. Nothing is left of one that is refused."""
        digest, size = hashlib.sha256(), 0
        try:
            async with obstore.open_writer_async(self._store, _key(workspace_id, media_id)) as writer:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise TooLarge(f"WhatsApp takes at most {limit // 1_000_000} MB of this type", field="file")
                    digest.update(chunk)
                    await writer.write(chunk)
                if size == 0:
                    raise Invalid("the file is empty", field="file")
        except (TooLarge, Invalid):
            await self.discard(workspace_id, media_id)
            raise
        except (OSError, BaseError) as error:
            raise Unavailable("the file store does not take files right now; try again") from error
        return size, digest.hexdigest()

    async def discard(self, workspace_id: UUID, media_id: UUID) -> None:
        """Remove a file, if it is there."""
        try:
            await obstore.delete_async(self._store, _key(workspace_id, media_id))
        except FileNotFoundError:
            return

    async def describe(self, workspace_id: UUID, media_id: UUID) -> MediaView:
        """What is known of a file. Raises `NotFound`."""
        async with self._database.api(workspace_id) as connection:
            row = await connection.fetchrow(_GET, workspace_id, media_id)
        if row is None:
            raise NotFound("there is no such file in this workspace")
        if row["state"] == "failed":
            raise NotFound("WhatsApp did not hand this file over; ask the customer to send it again", code="media_lost")
        if row["state"] != "ready":
            raise Unavailable("the file is still being fetched from WhatsApp; try again", retry_after=2)
        return _view(row)

    async def read(self, workspace_id: UUID, media_id: UUID) -> AsyncIterator[bytes]:
        """A file, a part at a time. Raises `NotFound`."""
        return (await self.open(workspace_id, media_id))[1]

    async def open(self, workspace_id: UUID, media_id: UUID) -> tuple[int, AsyncIterator[bytes]]:
        """A file's size in bytes, and the file, a part at a time. Raises `NotFound`."""
        try:
            found = await obstore.get_async(self._store, _key(workspace_id, media_id))
        except FileNotFoundError as error:
            raise NotFound("there is no such file in this workspace") from error
        except BaseError as error:
            raise Unavailable("the file store does not answer right now; try again") from error
        return found.meta["size"], _parts(found)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on its way to a provider."""

    library: Library
    workspace_id: UUID
    media_id: UUID
    mime_type: str
    filename: str

    async def open(self) -> tuple[int, AsyncIterator[bytes]]:
        """Its size in bytes, and its content, a part at a time."""
        return await self.library.open(self.workspace_id, self.media_id)


async def _parts(found: Any) -> AsyncIterator[bytes]:
    async for part in found.stream(min_chunk_size=256 * 1024):
        yield bytes(part)


def _key(workspace_id: UUID, media_id: UUID) -> str:
    return f"{workspace_id}/{media_id}"


def _view(row: Any) -> MediaView:
    return MediaView(
        id=row["id"],
        mime_type=row["mime_type"],
        size=row["size"],
        sha256=row["sha256"],
        filename=row["filename"],
        created_at=row["created_at"],
    )
