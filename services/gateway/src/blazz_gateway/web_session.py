"""A workspace's WhatsApp Web sessions, as the bridge tells of them, under the names that old clients have for them."""

from typing import Any
from uuid import UUID

import orjson
from blazz_chassis.errors import NotFound, Unavailable
from blazz_contracts.session import SessionState
from blazz_contracts.views.session import CreateSession, QrView, SessionView
from pydantic import TypeAdapter, ValidationError

from blazz_gateway.actor import Actor
from blazz_gateway.errors import ForeignWorkspace
from blazz_gateway.upstream import Upstream, refusal

_SESSIONS: TypeAdapter[list[SessionView]] = TypeAdapter(list[SessionView])
_OLD_NAME = "workspace_"
_FIRST = "POST /session/init"
"""The Idempotency-Key of a workspace's session that is made because there is none."""
_ASLEEP = frozenset({SessionState.STOPPED, SessionState.AUTH_FAILED})
"""Sessions that come to life by being asked to."""


class WebSessions:
    """Asks the bridge."""

    def __init__(self, bridge: Upstream) -> None:
        self._bridge = bridge

    async def begin(self, actor: Actor) -> tuple[SessionView, bool]:
        """The workspace's oldest session, and whether it had to be made or woken."""
        oldest = await self.oldest(actor)
        if oldest is None:
            asked = CreateSession().model_dump_json()
            # Two who ask at the same moment find none, both of them: under the key they get the same one.
            key = {"idempotency-key": _FIRST}
            return SessionView.model_validate(await self._ask(actor, "POST", "", asked, key)), True
        if oldest.state not in _ASLEEP:
            return oldest, False
        await self._ask(actor, "POST", f"/{oldest.id}/start")
        return oldest, True

    async def oldest(self, actor: Actor) -> SessionView | None:
        """The session meant by who names none: ids are UUIDv7, so the first one is the oldest."""
        found = await self._ask(actor, "GET", "")
        items = found.get("items", []) if isinstance(found, dict) else found
        try:
            return min(_SESSIONS.validate_python(items), key=lambda session: session.id, default=None)
        except ValidationError as error:
            raise Unavailable("the sessions cannot be read right now; try again") from error

    async def named(self, actor: Actor, name: str) -> SessionView | None:
        """The session of this name: its id, or `workspace_{id}`; None when a workspace has none. Raises `NotFound`."""
        session_id = identifier(actor, name)
        if session_id is None:
            return await self.oldest(actor)
        return SessionView.model_validate(await self._ask(actor, "GET", f"/{session_id}"))

    async def qr(self, actor: Actor, session_id: UUID) -> QrView:
        """The code to scan now. Raises what the bridge answers when there is none."""
        return QrView.model_validate(await self._ask(actor, "GET", f"/{session_id}/qr"))

    async def _ask(
        self, actor: Actor, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        path = f"/internal/sessions{path}"
        answer = await self._bridge.call(method, path, actor.context(), content=body, headers=headers)
        if answer.status_code >= 400:
            raise refusal(answer)
        return orjson.loads(answer.content) if answer.content else None


def identifier(actor: Actor, name: str | None) -> UUID | None:
    """The id that a name says; None: the workspace's oldest. Raises `ForeignWorkspace`, `NotFound`."""
    if not name:
        return None
    if name.startswith(_OLD_NAME):
        own_workspace(actor, name.removeprefix(_OLD_NAME))
        return None
    try:
        return UUID(name)
    except ValueError:
        raise NotFound("there is no such session in this workspace", code="session_not_found") from None


def own_workspace(actor: Actor, named: str | int | None) -> None:
    """Return when this is the actor's own workspace, or nobody named one. Raises `ForeignWorkspace`."""
    if named is None or named == "":
        return
    try:
        own = UUID(str(named)) == actor.workspace_id
    except ValueError:
        own = False
    if not own:
        raise ForeignWorkspace
