"""Files that customers sent are fetched from WhatsApp and kept: its ids live for 7 days only."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from blazz_chassis.addresses import check_outside
from blazz_chassis.database import Database
from blazz_chassis.errors import DependencyDown

from blazz_chat.channels import Channels
from blazz_chat.media import LARGEST, Library

log = structlog.get_logger(__name__)

# Waits after each failed try, seconds; after the last it is given up. WhatsApp keeps the file for 7 days.
_WAITS = (2, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 48 * 3600)
_AT_ONCE = 4
_LEASE = 120

_CLAIM = """
update media set next_attempt_at = now() + make_interval(secs => $1), tries = tries + 1
where id in (select id from media where state = 'pending' and next_attempt_at <= now()
             order by next_attempt_at limit $2 for update skip locked)
returning id, workspace_id, channel_id, provider_media_id, mime_type, tries
"""
_READY = "update media set state = 'ready', size = $2, sha256 = $3, mime_type = $4, error = null where id = $1"
_AGAIN = "update media set next_attempt_at = now() + make_interval(secs => $2), error = $3 where id = $1"
_GIVEN_UP = "update media set state = 'failed', error = $2 where id = $1"


class Fetching:
    """Fetches what is pending."""

    def __init__(
        self,
        database: Database,
        library: Library,
        channels: Channels,
        client: httpx.AsyncClient,
        *,
        graph: str,
        public_hosts_only: bool,
    ) -> None:
        """`graph`: address and version of the Graph API."""
        self._database = database
        self._library = library
        self._channels = channels
        self._client = client
        self._graph = graph
        self._public_hosts_only = public_hosts_only

    async def run_once(self) -> int:
        """Fetch what is due; returns how many files were tried."""
        async with self._database.worker() as connection:
            rows = await connection.fetch(_CLAIM, float(_LEASE), _AT_ONCE)
        await asyncio.gather(*(self._fetch(row) for row in rows))
        return len(rows)

    async def _fetch(self, row: Any) -> None:
        try:
            async with asyncio.timeout(_LEASE - 10):
                size, sha256, mime_type = await self._download(row)
        except DependencyDown:
            raise
        except Exception as error:
            # Whatever WhatsApp answered or the store said: this file waits, the others do not.
            await self._failed(row, str(error) or type(error).__name__)
            return
        async with self._database.worker() as connection:
            await connection.execute(_READY, row["id"], size, sha256, mime_type)

    async def _failed(self, row: Any, reason: str) -> None:
        log.warning("media_not_fetched", media_id=str(row["id"]), tries=row["tries"], reason=reason)
        async with self._database.worker() as connection:
            if row["tries"] > len(_WAITS):
                await connection.execute(_GIVEN_UP, row["id"], reason[:1000])
            else:
                await connection.execute(_AGAIN, row["id"], float(_WAITS[row["tries"] - 1]), reason[:1000])

    async def _download(self, row: Any) -> tuple[int, str, str]:
        channel = await self._channels.one(self._database, row["channel_id"])
        if channel is None:
            raise ValueError("the channel is gone")
        headers = {"Authorization": f"Bearer {channel.access_token}"}
        # The address lives for 5 minutes: it is asked for anew at each try.
        told = await self._client.get(f"{self._graph}/{row['provider_media_id']}", headers=headers)
        told.raise_for_status()
        described = told.json()
        url = described.get("url") if isinstance(described, dict) else None
        if not isinstance(url, str):
            raise ValueError("WhatsApp gave no address for the file")
        await self._check(url)
        async with self._client.stream("GET", url, headers=headers) as answer:
            answer.raise_for_status()
            size, sha256 = await self._library.keep(row["workspace_id"], row["id"], answer.aiter_bytes(), limit=LARGEST)
        return size, sha256, str(described.get("mime_type") or row["mime_type"])

    async def _check(self, url: str) -> None:
        # The address comes from an answer: it must not lead into our own network, unless the Graph API itself is there.
        if self._public_hosts_only and urlsplit(url).netloc != urlsplit(self._graph).netloc:
            await check_outside(url)
