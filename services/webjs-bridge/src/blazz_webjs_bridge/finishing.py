"""What making and deleting a session takes elsewhere: its channel at chat, its queue at the broker, its profile.

Each step may be done again without harm, so that whoever looks next finishes what a crash left.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
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
from blazz_webjs_bridge.session import CLAIM, COLUMNS, UNLINK, Session

log = structlog.get_logger(__name__)

# One at a time makes or deletes a session: what is made after it was deleted would stay for good.
_CLAIM = f"""
update web_sessions set finishing_until = now() + make_interval(secs => {CLAIM}), finish_tries = finish_tries + 1
where id in (
    select id from web_sessions where deleted_at is null and (wanted = 'deleted' or not made)
      and (owner is null or lease_until < now()) and finish_after <= now()
      and (finishing_until is null or finishing_until < now())
      and (wanted <> 'deleted' or seen_until is null or unlink_until is null or unlink_until < now())
    order by finish_after limit $1 for update skip locked)
returning {COLUMNS}
"""  # noqa: S608
_DONE = "update web_sessions set finishing_until = null where id = $1"
_FAILED = """
update web_sessions set finishing_until = null,
    finish_after = now() + make_interval(secs => least($2 * 2 ^ least(finish_tries, 10), $3))
where id = $1
"""
_MADE = "update web_sessions set made = true, start_after = now() where id = $1 and wanted <> 'deleted' returning id"
_DELETED = """
update web_sessions set deleted_at = now(), state = 'stopped', sealed_qr = null, sealed_pairing_code = null,
    revision = revision + 1
where id = $1
"""
_CHANNEL_DELETED = f"""
update web_sessions set wanted = 'deleted', finish_after = now(), finish_tries = 0,
    unlink_until = case when seen_until is not null then now() + make_interval(secs => {UNLINK}) end
where workspace_id = $1 and id = $2 and deleted_at is null and wanted <> 'deleted'
"""  # noqa: S608
_CHANNEL_NAMED = """
update web_sessions set name = $3, revision = revision + 1
where workspace_id = $1 and id = $2 and made and deleted_at is null and name <> $3
"""
_LOOK = 2.0  # seconds
_AT_ONCE = 20  # sessions that are made or deleted side by side
_WITHIN = 0.7 * CLAIM  # seconds that one of them may take
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0  # seconds
_PURGE_EVERY = 3600.0  # seconds


class Finishing:
    """Makes and removes what belongs to a session."""

    def __init__(
        self, database: Database, chat: InternalClient, queues: OwnedQueues, profiles: Profiles, *, journal_days: int
    ) -> None:
        self._database, self._chat, self._queues, self._profiles = database, chat, queues, profiles
        self._journal_days = journal_days
        self._nudged = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def make(self, made: Session) -> None:
        """Make its channel and its queue; whoever calls it has the claim. Raises `Unavailable`, `ChatRefused`."""
        await self._claimed(made.id, self._make(made))

    async def _claimed(self, session_id: UUID, work: Coroutine[Any, Any, None]) -> None:
        """Do it within the time of the claim, and give the claim back."""
        sql: str = _FAILED
        more: tuple[float, ...] = (_FIRST_PAUSE, _LONGEST_PAUSE)
        try:
            async with asyncio.timeout(_WITHIN):
                await work
            sql, more = _DONE, ()
        except TimeoutError as error:
            raise Unavailable("it took too long; it is done as soon as that can be") from error
        finally:
            with suppress(Unavailable):  # the claim runs out by itself
                async with self._database.worker() as connection:
                    await connection.execute(sql, session_id, *more)

    async def rename(self, known: Session, name: str) -> None:
        """Give its channel this name. Raises `Unavailable`, `ChatRefused`."""
        answer = await self._ask(known, "PATCH", f"/internal/channels/{known.id}", "try again", {"name": name})
        if not answer.is_success:
            raise ChatRefused(f"chat does not rename the channel (HTTP {answer.status_code})")

    async def _ask(
        self, about: Session, method: str, path: str, then: str, body: dict[str, str] | None = None
    ) -> httpx.Response:
        """Chat's answer. Raises `Unavailable`, which says what comes `then`, when it has none."""
        try:
            answer = await self._chat.request(
                method, path, WorkspaceContext(workspace_id=about.workspace_id), json=body
            )
        except httpx.HTTPError as error:
            raise Unavailable(f"chat does not answer; {then}") from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"chat does not answer; {then}")
        return answer

    async def _make(self, made: Session) -> None:
        body = {"provider": "webjs", "id": str(made.id), "name": made.name}
        later = "the session is made as soon as it does"
        answer = await self._ask(made, "POST", "/internal/channels", later, body)
        if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
            raise ChatRefused(f"chat refused the channel (HTTP {answer.status_code})")
        await self._queues.declare(session_queue(made.id))
        async with self._database.worker() as connection:
            kept = await connection.fetchval(_MADE, made.id)
        if kept is None:
            await self._remove(made)  # it was deleted meanwhile

    async def _remove(self, gone: Session) -> None:
        """Remove its channel, its queue and its profile. Raises `Unavailable`, `ChatRefused`."""
        later = "the session is deleted as soon as it does"
        answer = await self._ask(gone, "DELETE", f"/internal/channels/{gone.id}", later)
        if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
            raise ChatRefused(f"chat does not delete the channel (HTTP {answer.status_code})")
        await self._queues.delete(session_queue(gone.id))
        await self._profiles.forget(gone.id)
        async with self._database.worker() as connection:
            await connection.execute(_DELETED, gone.id)
        log.info("session_deleted", session_id=str(gone.id))

    async def channel_named(self, workspace_id: UUID, channel_id: UUID, name: str) -> None:
        """Its channel has this name at chat: so has the session."""
        async with self._database.worker() as connection:
            await connection.execute(_CHANNEL_NAMED, workspace_id, channel_id, name)

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
            except Exception:
                log.exception("finishing_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._nudged.wait()

    async def _round(self) -> None:
        """Begin what is to be finished; one that takes long holds up no other."""
        room = _AT_ONCE - len(self._tasks)
        if room <= 0:
            return
        async with self._database.worker() as connection:
            rows = await connection.fetch(_CLAIM, room)
        for each in map(session.of, rows):
            task = asyncio.create_task(self._finish(each), name=f"finish-{each.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _finish(self, each: Session) -> None:
        try:
            await self._claimed(each.id, self._remove(each) if each.wanted == "deleted" else self._make(each))
        except ChatRefused as error:
            log.error("session_not_finished", session_id=str(each.id), wanted=each.wanted, error=error.detail)
        except Unavailable as error:
            log.info("finishing_waits", session_id=str(each.id), error=error.code)
        except Exception:
            log.exception("session_not_finished", session_id=str(each.id), wanted=each.wanted)

    async def purge(self) -> None:
        """Forget old attempts of the journal, once an hour."""
        while True:
            try:
                while await journal.purge(self._database, days=self._journal_days):
                    pass
            except Unavailable as error:
                log.info("purge_waits", error=error.code)
            await asyncio.sleep(_PURGE_EVERY)
