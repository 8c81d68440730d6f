"""Sessions as people manage them. Every change is recorded in the audit log; what it takes elsewhere is finished later
(`finishing`) where it cannot be done at once."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.database import Connection, Database
from blazz_chassis.ids import uuid7
from blazz_chassis.outbox import Outbox, Receipt
from blazz_chassis.seal import Sealer
from blazz_contracts.events import AuditRecorded
from blazz_contracts.session import LINKED, SessionState
from blazz_contracts.views.session import CreateSession, QrView, SessionOptions

from blazz_webjs_bridge import qr, session
from blazz_webjs_bridge.errors import AlreadyLinked, KeyReused, NoCode, NotRunning, SessionNotFound, TooManySessions
from blazz_webjs_bridge.session import CLAIM, COLUMNS, UNLINK, Session
from blazz_webjs_bridge.standings import events

# One at a time makes a session of a workspace, or two would both be the last one that it may have.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('web_sessions ' || $1::text, 0))"
_COUNT = "select count(*) from web_sessions where workspace_id = $1 and deleted_at is null"
# Who creates it is the first to finish it.
_INSERT = f"""
insert into web_sessions (id, workspace_id, name, options, request_key, request_hash, cause, finishing_until)
values ($1, $2, $3, $4, $5, $6, 'waits for an instance with room', now() + make_interval(secs => {CLAIM}))
returning {COLUMNS}
"""  # noqa: S608
_BY_KEY = f"""
select {COLUMNS}, request_hash = $3 as same from web_sessions
where workspace_id = $1 and request_key = $2 and wanted <> 'deleted'
"""  # noqa: S608
_GET = f"select {COLUMNS} from web_sessions where workspace_id = $1 and id = $2 and deleted_at is null"  # noqa: S608
_LIST = f"""
select {COLUMNS} from web_sessions where workspace_id = $1 and deleted_at is null
  and ($2::uuid is null or id > $2) order by id limit $3
"""  # noqa: S608
_OPTIONS = f"""
update web_sessions set options = $3, revision = revision + 1
where workspace_id = $1 and id = $2 and deleted_at is null returning {COLUMNS}
"""  # noqa: S608
_NAME = f"""
update web_sessions set name = $3, revision = revision + 1
where workspace_id = $1 and id = $2 and deleted_at is null returning {COLUMNS}
"""  # noqa: S608
# One that has an owner still stands where its owner says; the owner goes on, or lets go and it is taken anew.
_START = f"""
update web_sessions set wanted = 'running', start_after = now(), restarts = 0, revision = revision + 1,
    state = case when owner is null or lease_until < now() then 'starting' else state end,
    cause = case when owner is null or lease_until < now() then 'waits for an instance with room' else cause end,
    since = case when owner is null or lease_until < now() then now() else since end
where workspace_id = $1 and id = $2 and deleted_at is null and wanted = 'stopped' returning {COLUMNS}
"""  # noqa: S608
# One that nobody runs is stopped at once; its owner stops the others, and says so. What was asked before is void.
# One that is linked is given a while to be unlinked before it is removed.
_WISH = f"""
with void as (delete from web_session_requests where workspace_id = $1 and session_id = $2)
update web_sessions set wanted = $3, revision = revision + 1, finish_after = now(), finish_tries = 0,
    unlink_until = case when $3 = 'deleted' and seen_until is not null then now() + make_interval(secs => {UNLINK}) end,
    state = case when owner is null or lease_until < now() then 'stopped' else state end,
    cause = case when owner is null or lease_until < now() then 'stopped by a person' else cause end,
    since = case when owner is null or lease_until < now() then now() else since end
where workspace_id = $1 and id = $2 and deleted_at is null and wanted <> 'deleted' returning {COLUMNS}
"""  # noqa: S608
# What waits already is asked once; where it is said otherwise now, the last word holds.
_ASK = """
with same as (delete from web_session_requests where workspace_id = $3 and session_id = $2 and kind = $4)
insert into web_session_requests (id, session_id, workspace_id, kind, data) values ($1, $2, $3, $4, $5)
"""


class Registry:
    """Creates, shows and changes sessions, each in its workspace."""

    def __init__(self, database: Database, outbox: Outbox, sealer: Sealer, *, qr_lifetime: float, most: int) -> None:
        """`qr_lifetime`: seconds after which a code is not shown any more; `most`: sessions of one workspace."""
        self._database, self._outbox, self._sealer, self._most = database, outbox, sealer, most
        self._qr_lifetime = timedelta(seconds=qr_lifetime)

    async def create(
        self, context: WorkspaceContext, asked: CreateSession, key: str | None = None
    ) -> tuple[Session, bool]:
        """Write a session down; its channel and its queue are made by `finishing`.

        Returns whether it was made now: under a `key` that is known it is the session of the first request, as it is
        now. Raises `TooManySessions`, and `KeyReused` where another session was asked for under the key.
        """
        fingerprint = _fingerprint(asked) if key is not None else None
        async with self._database.api(context.workspace_id) as connection:
            await connection.execute(_ALONE, str(context.workspace_id))
            known = key and await connection.fetchrow(_BY_KEY, context.workspace_id, key, fingerprint)
            if known:
                return _of_the_key(known), False
            if await connection.fetchval(_COUNT, context.workspace_id) >= self._most:
                raise TooManySessions(
                    f"this workspace has {self._most} WhatsApp Web sessions, stopped ones included, and may have no "
                    "more; delete one that is not needed, or ask the operator for a higher limit"
                )
            row = await connection.fetchrow(
                _INSERT,
                uuid7(),
                context.workspace_id,
                asked.name,
                asked.options.model_dump(mode="json"),
                key,
                fingerprint,
            )
            receipt = await self._record(connection, context, row, "session.created")
        await self._outbox.send(receipt)
        return session.of(row), True

    async def list(self, workspace_id: UUID, cursor: UUID | None, limit: int) -> Sequence[Session]:
        """Sessions of a workspace, oldest first; one more than `limit` when there are more."""
        async with self._database.api(workspace_id) as connection:
            return [session.of(row) for row in await connection.fetch(_LIST, workspace_id, cursor, limit + 1)]

    async def get(self, workspace_id: UUID, session_id: UUID) -> Session:
        """One session. Raises `SessionNotFound`."""
        async with self._database.api(workspace_id) as connection:
            return session.of(_found(await connection.fetchrow(_GET, workspace_id, session_id)))

    async def set_options(self, context: WorkspaceContext, session_id: UUID, options: SessionOptions) -> Session:
        """Let it go by other options; a running one takes them up within seconds."""
        return await self._change(
            context, session_id, "session.options_changed", _OPTIONS, options.model_dump(mode="json")
        )

    async def rename(self, context: WorkspaceContext, session_id: UUID, name: str) -> Session:
        """Name it; its channel has that name by now."""
        return await self._change(context, session_id, "session.renamed", _NAME, name)

    async def start(self, context: WorkspaceContext, session_id: UUID) -> Session:
        """Run it again; one that runs is given back as it is."""
        known = await self.get(context.workspace_id, session_id)
        if known.wanted == "running":
            return known
        return await self._change(context, session_id, "session.started", _START)

    async def stop(self, context: WorkspaceContext, session_id: UUID) -> Session:
        """Close its browser; it stays linked."""
        return await self._change(context, session_id, "session.stopped", _WISH, "stopped")

    async def delete(self, context: WorkspaceContext, session_id: UUID) -> Session:
        """Unlink it, forget its profile and remove its channel; its conversations stay."""
        return await self._change(context, session_id, "session.deleted", _WISH, "deleted")

    async def ask(self, context: WorkspaceContext, session_id: UUID, kind: str, data: dict[str, Any]) -> Session:
        """Hand a request to whoever runs it. Raises `NotRunning`, and `AlreadyLinked` for a code that nobody needs."""
        known = await self.get(context.workspace_id, session_id)
        if known.wanted != "running":
            raise NotRunning()
        if kind == "pair" and known.state in LINKED:
            raise AlreadyLinked()
        async with self._database.api(context.workspace_id) as connection:
            await connection.execute(_ASK, uuid7(), session_id, context.workspace_id, kind, data)
            receipt = await self._outbox.add(connection, [_audit(context, known, f"session.{kind}")])
        await self._outbox.send(receipt)
        return known

    def qr(self, known: Session) -> QrView:
        """The newest code, with its picture. Raises `NoCode` where there is none, or none that is fresh."""
        if known.state is not SessionState.QR or known.sealed_qr is None or known.qr_at is None:
            raise NoCode(_no_code(known))
        too_old_at = known.qr_at + self._qr_lifetime
        if too_old_at < datetime.now(UTC):
            raise NoCode("the code is too old; restart the session for a new one", retry_after=5)
        code = self._sealer.open(known.sealed_qr).decode()
        return QrView(
            session_id=known.id,
            code=code,
            revision=known.qr_revision,
            made_at=known.qr_at,
            expires_at=min(known.qr_until or too_old_at, too_old_at),
            image=qr.data_address(code),
        )

    def pairing_code(self, known: Session) -> str | None:
        """The code to type into the phone, in `pairing`, for as long as it works."""
        if known.state is not SessionState.PAIRING or known.sealed_pairing_code is None:
            return None
        if known.pairing_code_until is not None and known.pairing_code_until < datetime.now(UTC):
            return None
        return self._sealer.open(known.sealed_pairing_code).decode()

    async def _change(
        self, context: WorkspaceContext, session_id: UUID, action: str, sql: str, *values: Any
    ) -> Session:
        async with self._database.api(context.workspace_id) as connection:
            row = _found(await connection.fetchrow(sql, context.workspace_id, session_id, *values))
            receipt = await self._record(connection, context, row, action)
        await self._outbox.send(receipt)
        return session.of(row)

    async def _record(self, connection: Connection, context: WorkspaceContext, row: Any, action: str) -> Receipt:
        known = session.of(row)
        return await self._outbox.add(connection, [*events(known), _audit(context, known, action)])


def _found(row: Any) -> Any:
    if row is None:
        raise SessionNotFound()
    return row


def _fingerprint(asked: CreateSession) -> bytes:
    # Without what is left at its default, so that a field a later version adds does not make it another request.
    return hashlib.sha256(asked.model_dump_json(exclude_defaults=True).encode()).digest()


def _of_the_key(row: Any) -> Session:
    values = dict(row)
    if not values.pop("same"):
        raise KeyReused(field="Idempotency-Key")
    return session.of(values)


def _no_code(known: Session) -> str:
    if known.state is SessionState.STARTING:
        return "the session is still opening WhatsApp Web; ask again in a moment"
    return f"the session is {known.state.value}: {known.cause or 'there is nothing to scan'}"


def _audit(context: WorkspaceContext, known: Session, action: str) -> AuditRecorded:
    return AuditRecorded(
        workspace_id=context.workspace_id,
        action=action,
        actor_kind=context.actor_kind,
        actor_id=context.actor_id,
        target_kind="session",
        target_id=str(known.id),
        data={"name": known.name},
        at=datetime.now(UTC),
    )
