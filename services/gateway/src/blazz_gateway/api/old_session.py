"""Sessions under the old WhatsApp Web service's addresses: `/session/init`, `/session/{id}/qr`, `/session/{id}/status`.

A session is named by its id; `workspace_{id}`, the old name, is the workspace's oldest session.
"""

from blazz_chassis.errors import NotFound
from blazz_contracts.session import SessionState
from blazz_contracts.views.request import Request as Body
from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from blazz_gateway.api.body import form_or_json
from blazz_gateway.api.door import Door, read_as
from blazz_gateway.api.old_words import OldRoute, answered
from blazz_gateway.role import Permission
from blazz_gateway.web_session import WebSessions, own_workspace

_OLD_STATES = {
    SessionState.READY: "connected",
    SessionState.AUTH_FAILED: "auth_failed",
    SessionState.BANNED: "auth_failed",
    SessionState.STARTING: "initializing",
    SessionState.QR: "initializing",
    SessionState.PAIRING: "initializing",
    SessionState.SYNCING: "initializing",
}
_DISCONNECTED = "disconnected"
_NO_SESSION = "this workspace has no WhatsApp Web session: POST /session/init first"


class SessionInit(Body):
    """The old request; what else it holds was never looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    workspace_id: str | int | None = Field(default=None, alias="workspaceId")
    phone_number: str | None = Field(
        default=None, alias="phoneNumber", description="Not needed: the phone says its number when it is linked."
    )


def router(door: Door, sessions: WebSessions) -> APIRouter:
    """The old service's routes for sessions."""
    routes = APIRouter(prefix="/session", tags=["old WhatsApp Web service"], route_class=OldRoute)

    @routes.post(
        "/init",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": SessionInit.model_json_schema()}}}},
    )
    async def init(request: Request) -> Response:
        """Make the workspace's session, or wake the one that is there."""
        actor = await door.enter(request)
        actor.require(Permission.CHANNELS_WRITE)
        asked = read_as(SessionInit, await form_or_json(request))
        own_workspace(actor, asked.workspace_id)
        session, begun = await sessions.begin(actor)
        return answered(sessionId=str(session.id), status="initializing" if begun else "existing")

    @routes.get("/{session_id}/qr")
    async def qr(request: Request, session_id: str) -> Response:
        """The code to scan now."""
        actor = await door.enter(request)
        actor.require(Permission.CHANNELS_WRITE)
        session = await sessions.named(actor, session_id)
        if session is None:
            raise NotFound(_NO_SESSION, code="session_not_found")
        shown = await sessions.qr(actor, session.id)
        return answered(
            sessionId=str(session.id), qr=shown.code, image=shown.image, expiresAt=shown.expires_at.isoformat()
        )

    @routes.get("/{session_id}/status")
    async def status(request: Request, session_id: str) -> Response:
        """Whether it is `connected`, `initializing`, `auth_failed` or `disconnected`; `state` says it exactly."""
        actor = await door.enter(request)
        actor.require(Permission.CHANNELS_READ)
        session = await sessions.named(actor, session_id)
        if session is None:
            return answered(sessionId=session_id, status=_DISCONNECTED, state=None, phone=None)
        return answered(
            sessionId=str(session.id),
            status=_OLD_STATES.get(session.state, _DISCONNECTED),
            state=session.state,
            cause=session.cause,
            phone=session.phone,
        )

    return routes
