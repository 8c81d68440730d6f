"""Where sessions stand, written down and told in one transaction: to chat, which sends by it, and to who watches."""

from datetime import UTC, datetime

from blazz_chassis.database import Database
from blazz_chassis.outbox import Outbox
from blazz_chassis.seal import Sealer
from blazz_contracts import Event
from blazz_contracts.events import ProviderSession, SessionUpdated
from blazz_contracts.session import SessionState

from blazz_webjs_bridge import session as sessions
from blazz_webjs_bridge.page.words import Somebody
from blazz_webjs_bridge.session import COLUMNS, Session
from blazz_webjs_bridge.state import Standing

# What came before a phone was linked is not ours: everything is seen until then, and so much later as catching up reads
# back. Another number is another phone.
# A code lives as long as its state: none is shown of a session that is linked, or that shows no code any more.
_STAND = f"""
update web_sessions set state = $3, cause = $4, since = case when state = $3 then since else now() end,
    revision = revision + 1, restarts = $5,
    sealed_qr = case when $3 = 'qr' then coalesce($6, sealed_qr) end,
    qr_at = case when $3 <> 'qr' then null when $6::text is null then qr_at else now() end,
    qr_until = case when $3 <> 'qr' then null when $6::text is null then qr_until
                    else now() + make_interval(secs => $14) end,
    qr_revision = qr_revision + case when $6::text is null then 0 else 1 end,
    sealed_pairing_code = case when $3 = 'pairing' then coalesce($7, sealed_pairing_code) end,
    pairing_code_until = case when $3 = 'pairing' then case
        when $7::text is null or $14 is null then pairing_code_until else now() + make_interval(secs => $14) end end,
    phone = coalesce($8, phone), lid = coalesce($9, lid), account_name = coalesce($10, account_name),
    seen_until = case when $11 or $12 then null
                      when phone <> $8 then now() + make_interval(secs => $13)
                      when $3 in ('syncing', 'ready') then coalesce(seen_until, now() + make_interval(secs => $13))
                      else seen_until end,
    wanted = case when $11 and wanted = 'running' then 'stopped' else wanted end
where id = $1 and fence = $2 and deleted_at is null returning {COLUMNS}
"""  # noqa: S608
_STOPPED = f"""
update web_sessions set state = 'stopped', cause = $2, since = now(), revision = revision + 1, sealed_qr = null,
    qr_at = null, sealed_pairing_code = null
where id = $1 and wanted <> 'running' and state <> all($3::text[]) returning {COLUMNS}
"""  # noqa: S608
# Whose owner is gone, or was killed before it could say so: what it said last is not so any more. One that is wanted
# has a while to be taken by somebody else.
_ORPHANS = f"""
update web_sessions set revision = revision + 1, since = now(), sealed_qr = null, qr_at = null,
    sealed_pairing_code = null,
    state = case when wanted <> 'running' then 'stopped' when phone is null then 'starting' else 'offline' end,
    cause = case when wanted <> 'running' then 'stopped by a person' else 'waits for an instance with room' end
where id in (
    select id from web_sessions where deleted_at is null and (owner is null or lease_until < now())
      and (wanted = 'stopped' and state <> all($1::text[])
        or wanted = 'running' and state = any($2::text[]) and start_after < now() - make_interval(secs => $3)
        and (lease_until is null or lease_until < now() - make_interval(secs => $3)))
    limit 100 for update skip locked)
returning {COLUMNS}
"""  # noqa: S608
# What a session that stopped by itself says stays readable.
_FINAL = [SessionState.STOPPED.value, SessionState.AUTH_FAILED.value, SessionState.BANNED.value]
_RUNS = [each.value for each in (SessionState.READY, SessionState.SYNCING, SessionState.QR, SessionState.PAIRING)]


class Standings:
    """Writes down and tells where sessions stand."""

    def __init__(self, database: Database, outbox: Outbox, sealer: Sealer, *, margin: float) -> None:
        """`margin`: seconds before the mark that catching up reads."""
        self._database, self._outbox, self._sealer, self._margin = database, outbox, sealer, margin

    async def stand(
        self,
        session: Session,
        standing: Standing,
        *,
        restarts: int = 0,
        qr: str | None = None,
        pairing_code: str | None = None,
        code_seconds: float | None = None,
        me: Somebody | None = None,
        stops: bool = False,
        forgets: bool = False,
    ) -> Session | None:
        """Write down a state; returns the session as it is now, or None when another instance owns it.

        `code_seconds`: how long the code, of either kind, works from now; None where nobody says so.
        `stops`: nobody is to run it until a person starts it again. `forgets`: it is not linked any more.
        """
        async with self._database.worker() as connection:
            row = await connection.fetchrow(
                _STAND,
                session.id,
                session.fence,
                standing.state.value,
                standing.cause,
                restarts,
                self._sealed(qr),
                self._sealed(pairing_code),
                me.phone if me else None,
                me.lid if me else None,
                me.name if me else None,
                stops,
                forgets,
                self._margin,
                code_seconds,
            )
            if row is None:
                return None
            now = sessions.of(row)
            receipt = await self._outbox.add(connection, events(now))
        await self._outbox.send(receipt)
        return now

    async def stopped(self, session: Session, cause: str) -> None:
        """Say that a session is stopped, unless it says already why it cannot go on."""
        async with self._database.worker() as connection:
            row = await connection.fetchrow(_STOPPED, session.id, cause, _FINAL)
            if row is None:
                return
            receipt = await self._outbox.add(connection, events(sessions.of(row)))
        await self._outbox.send(receipt)

    async def tell_orphans(self, *, patience: float) -> None:
        """Say of sessions that nobody runs that nobody runs them; of wanted ones after `patience` seconds."""
        async with self._database.worker() as connection:
            rows = await connection.fetch(_ORPHANS, _FINAL, _RUNS, patience)
            if not rows:
                return
            told = [event for row in rows for event in events(sessions.of(row))]
            receipt = await self._outbox.add(connection, told)
        await self._outbox.send(receipt)

    def _sealed(self, code: str | None) -> str | None:
        return self._sealer.seal(code.encode()) if code is not None else None


def events(session: Session) -> list[Event]:
    """What is told of a session: the state to chat, and to who watches."""
    cause = session.cause[:500] if session.cause else None
    return [
        ProviderSession(
            workspace_id=session.workspace_id,
            channel_id=session.id,
            field="state",
            value={
                "state": session.state.value,
                "cause": cause,
                "since": session.since.isoformat(),
                "revision": session.revision,
                "phone": session.phone,
                "lid": session.lid,
                "name": session.account_name,
            },
            received_at=datetime.now(UTC),
        ),
        SessionUpdated(
            workspace_id=session.workspace_id,
            session_id=session.id,
            revision=session.revision,
            state=session.state,
            cause=cause,
            since=session.since,
            phone=session.phone,
            qr_revision=session.qr_revision or None,
        ),
    ]
