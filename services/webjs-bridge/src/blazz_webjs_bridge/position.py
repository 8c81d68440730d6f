"""Where one session stands, as its owner writes it down and tells it."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from blazz_chassis.errors import BlazzError
from blazz_contracts.session import SessionState

from blazz_webjs_bridge.endings import Lost, Over
from blazz_webjs_bridge.session import Session
from blazz_webjs_bridge.standings import Standings
from blazz_webjs_bridge.state import Standing

log = structlog.get_logger(__name__)

_AGAIN = 1.0  # seconds before it is written down again while the database is away


class Position:
    """The position of one session."""

    def __init__(self, session: Session, standings: Standings, restarts: Callable[[], int]) -> None:
        """`restarts`: how often its browser was opened in vain."""
        self.session, self._standings, self._restarts = session, standings, restarts
        self.standing = Standing(session.state, session.cause)
        self._log = log.bind(session_id=str(session.id))
        self.killed = False
        """Whether nothing of it may go on here."""
        self.unlinking = False
        """Whether its device is being removed from the phone, or was: what the page tells then is of another one."""

    async def stand(self, standing: Standing, **more: Any) -> None:
        """Write down and tell where the session stands; the database may be away for a while. Raises `Lost`."""
        self.standing = standing
        while True:
            if self.killed:
                raise Lost
            try:
                now = await self._standings.stand(self.session, standing, restarts=self._restarts(), **more)
            except BlazzError as error:
                self._log.info("standing_waits", error=error.code)
                await asyncio.sleep(_AGAIN)
                continue
            if now is None:
                raise Lost
            self.session = now
            self._log.info("session_stands", state=standing.state.value, cause=standing.cause)
            return

    async def unlinked(self, standing: Standing) -> None:
        """The device is not linked any more: nothing of it is kept, and nobody runs it until a person starts it.

        Raises `Over`.
        """
        self.unlinking = True
        await self.stand(standing, stops=True)
        raise Over(forget=True)

    @property
    def opens(self) -> bool:
        """Whether the page does not know yet if it is linked."""
        return self.standing.state in (SessionState.STARTING, SessionState.OFFLINE) and not self.standing.linked
