"""What making and deleting a session takes elsewhere: its channel at chat, its queue at the broker, its profile.

Each step may be done again without harm, so that whoever looks next finishes what a crash left.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

import httpx
import structlog
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Database
from blazz_chassis.errors import Unavailable
from blazz_chassis.http_client import InternalClient
from blazz_chassis.owned_queues import OwnedQueues
from blazz_contracts.topology import session_queue

from blazz_webjs_bridge import journal, session
from blazz_webjs_bridge.errors import ChatRefused
from blazz_webjs_bridge.profiles import Profiles
from blazz_webjs_bridge.session import COLUMNS, Session

log = structlog.get_logger(__name__)

_UNFINISHED = f"""
select {COLUMNS} from web_sessions where deleted_at is null and (wanted = 'deleted' or not made)
  and (owner is null or lease_until < now()) order by id limit 20
"""  # noqa: S608
_MADE = "update web_sessions set made = true, start_after = now() where id = $1"
_DELETED = """
update web_sessions set deleted_at = now(), state = 'stopped', sealed_qr = null, sealed_pairing_code = null,
    revision = revision + 1
where id = $1
"""
_CHANNEL_DELETED = (
    "update web_sessions set wanted = 'deleted' where workspace_id = $1 and id = $2 and deleted_at is null"
)
_LOOK = 2.0  # seconds
_PURGE_EVERY = 3600.0  # seconds


class Finishing:
    """Makes and removes what belongs to a session."""

    def __init__(
        self, database: Database, chat: InternalClient, queues: OwnedQueues, profiles: Profiles, *, journal_days: int
    ) -> None:
        self._database, self._chat, self._queues, self._profiles = database, chat, queues, profiles
        self._journal_days = journal_days
        self._nudged = asyncio.Event()

    async def make(self, made: Session) -> None:
        """Make its channel and its queue. Raises `Unavailable`, `ChatRefused`."""
        about = WorkspaceContext(workspace_id=made.workspace_id)
        body = {"provider": "webjs", "id": str(made.id), "name": made.name}
        try:
            answer = await self._chat.request("POST", "/internal/channels", about, json=body)
        except httpx.HTTPError as error:
            raise Unavailable("chat does not answer; the session is made as soon as it does") from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable("chat does not answer; the session is made as soon as it does")
        if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
            raise ChatRefused(f"chat refused the channel (HTTP {answer.status_code})")
        await self._queues.declare(session_queue(made.id))
        async with self._database.worker() as connection:
            await connection.execute(_MADE, made.id)

    async def remove(self, gone: Session) -> None:
        """Remove its channel, its queue and its profile. Raises `Unavailable`."""
        about = WorkspaceContext(workspace_id=gone.workspace_id)
        try:
            answer = await self._chat.request("DELETE", f"/internal/channels/{gone.id}", about)
        except httpx.HTTPError as error:
            raise Unavailable("chat does not answer") from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable("chat does not answer")
        await self._queues.delete(session_queue(gone.id))
        await self._profiles.forget(gone.id)
        async with self._database.worker() as connection:
            await connection.execute(_DELETED, gone.id)
        log.info("session_deleted", session_id=str(gone.id))

    async def channel_deleted(self, workspace_id: UUID, channel_id: UUID) -> None:
        """Its channel was deleted at chat: so is the session."""
        async with self._database.worker() as connection:
            await connection.execute(_CHANNEL_DELETED, workspace_id, channel_id)
        self.nudge()

    def nudge(self) -> None:
        """There may be something to finish."""
        self._nudged.set()

    async def run(self) -> None:
        """Finish what is left, again and again."""
        while True:
            self._nudged.clear()
            try:
                await self._round()
            except Unavailable as error:
                log.info("finishing_waits", error=error.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._nudged.wait()

    async def _round(self) -> None:
        async with self._database.worker() as connection:
            rows = await connection.fetch(_UNFINISHED)
        for each in map(session.of, rows):
            try:
                await (self.remove(each) if each.wanted == "deleted" else self.make(each))
            except ChatRefused as error:
                log.error("session_not_made", session_id=str(each.id), error=error.detail)

    async def purge(self) -> None:
        """Forget old attempts of the journal, once an hour."""
        while True:
            try:
                while await journal.purge(self._database, days=self._journal_days):
                    pass
            except Unavailable as error:
                log.info("purge_waits", error=error.code)
            await asyncio.sleep(_PURGE_EVERY)
