"""Sessions over HTTP."""

from typing import Annotated
from uuid import UUID

from blazz_chassis.context import InternalContext
from blazz_contracts.views.page import Page
from blazz_contracts.views.session import CreateSession, PairSession, QrView, SessionView, UpdateSession
from fastapi import APIRouter, Header, Query, Response

from blazz_webjs_bridge import qr
from blazz_webjs_bridge.creating import Creating
from blazz_webjs_bridge.registry import Registry
from blazz_webjs_bridge.session import Session, view

Key = Annotated[
    str | None,
    Header(
        description="The same request under the same key is the same session, as long as it is there.",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
    ),
]
PNG = "image/png"
_NEVER_STORED = {"Cache-Control": "no-store"}


def router(registry: Registry, creating: Creating) -> APIRouter:
    """Routes under `/internal/sessions`."""
    routes = APIRouter(prefix="/internal/sessions")

    def shown(session: Session) -> SessionView:
        return view(session, pairing_code=registry.pairing_code(session))

    @routes.get("")
    async def sessions(
        context: InternalContext, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> Page[SessionView]:
        """The workspace's sessions, oldest first."""
        found = await registry.list(context.workspace_id, cursor, limit)
        items = [shown(each) for each in found[:limit]]
        return Page[SessionView](items=items, next=str(items[-1].id) if len(found) > limit else None)

    @routes.post("", status_code=201)
    async def create(
        context: InternalContext, asked: CreateSession, response: Response, idempotency_key: Key = None
    ) -> SessionView:
        """Make a session with its channel, and begin to open it."""
        made, is_new = await creating.create(context, asked, idempotency_key)
        if not is_new:
            response.headers["Idempotency-Replayed"] = "true"
        return shown(made)

    @routes.get("/{session_id}")
    async def one(context: InternalContext, session_id: UUID) -> SessionView:
        """One session."""
        return shown(await registry.get(context.workspace_id, session_id))

    @routes.patch("/{session_id}")
    async def update(context: InternalContext, session_id: UUID, asked: UpdateSession) -> SessionView:
        """Change what is named: its name, which is its number's as well, and options."""
        known = await registry.get(context.workspace_id, session_id)
        if asked.name is not None:
            known = await creating.rename(context, known, asked.name)
        if asked.options is not None:
            known = await registry.set_options(context, session_id, asked.options.over(known.options))
        return shown(known)

    @routes.delete("/{session_id}", status_code=202)
    async def delete(context: InternalContext, session_id: UUID) -> SessionView:
        """Unlink and forget it, and remove its channel; done within seconds."""
        return shown(await creating.delete(context, session_id))

    @routes.get("/{session_id}/qr", response_model=QrView, responses={200: {"content": {PNG: {}}}})
    async def code(context: InternalContext, session_id: UUID, accept: Annotated[str, Header()] = "") -> Response:
        """The code to scan now: JSON, or with `Accept: image/png` the picture."""
        found = registry.qr(await registry.get(context.workspace_id, session_id))
        if PNG in accept:
            return Response(qr.png(found.code), media_type=PNG, headers=_NEVER_STORED)
        return Response(found.model_dump_json(), media_type="application/json", headers=_NEVER_STORED)

    @routes.get("/{session_id}/qr.png", response_class=Response, responses={200: {"content": {PNG: {}}}})
    async def picture(context: InternalContext, session_id: UUID) -> Response:
        """The code to scan now, as a picture."""
        found = registry.qr(await registry.get(context.workspace_id, session_id))
        return Response(qr.png(found.code), media_type=PNG, headers=_NEVER_STORED)

    @routes.post("/{session_id}/start")
    async def start(context: InternalContext, session_id: UUID) -> SessionView:
        """Run a session that was stopped."""
        return shown(await registry.start(context, session_id))

    @routes.post("/{session_id}/stop")
    async def stop(context: InternalContext, session_id: UUID) -> SessionView:
        """Close its browser; the phone stays linked, messages wait."""
        return shown(await registry.stop(context, session_id))

    @routes.post("/{session_id}/restart", status_code=202)
    async def restart(context: InternalContext, session_id: UUID) -> SessionView:
        """Close its browser and open it again."""
        return shown(await registry.ask(context, session_id, "restart", {}))

    @routes.post("/{session_id}/logout", status_code=202)
    async def logout(context: InternalContext, session_id: UUID) -> SessionView:
        """Remove the device from the phone's linked ones and forget the profile."""
        return shown(await registry.ask(context, session_id, "logout", {}))

    @routes.post("/{session_id}/pair", status_code=202)
    async def pair(context: InternalContext, session_id: UUID, asked: PairSession) -> SessionView:
        """Ask for a pairing code; it is in the session's view once its state is `pairing`."""
        return shown(await registry.ask(context, session_id, "pair", {"phone": asked.phone.lstrip("+")}))

    return routes
