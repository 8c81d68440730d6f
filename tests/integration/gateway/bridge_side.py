"""The bridge's side of HTTP, and nothing more: sessions by workspace, for whoever is signed in."""

import asyncio
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from blazz_chassis import context, problem
from blazz_chassis.errors import BlazzError, NotFound
from blazz_chassis.ids import uuid7
from blazz_contracts.views.session import CreateSession, PairSession, UpdateSession

from tests.integration.gateway.conftest import CONTEXT_KEY

PICTURE = b"\x89PNG\r\n\x1a\n the code"


class BridgeSide:
    """Answers under `/internal/sessions`."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self.keys: dict[tuple[str, str], str] = {}
        self.slow = 0.0
        """Seconds before a list is answered."""
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/internal/sessions{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            token = request.headers["authorization"].removeprefix("Bearer ")
            who = context.verify(token, CONTEXT_KEY, audience="webjs-bridge")
            rest, body = request.match_info["rest"].strip("/"), await request.read()
            if rest or request.method != "POST":
                answer = self._of(who, request.method, rest, body)
                await asyncio.sleep(self.slow)
                return answer
            return self._create(str(who.workspace_id), request.headers.get("Idempotency-Key"), body)
        except BlazzError as error:
            told = problem.of_error(error)
            return web.Response(body=bytes(told.body), status=told.status_code, content_type=problem.MEDIA_TYPE)

    def _of(self, who: context.WorkspaceContext, method: str, rest: str, body: bytes) -> web.Response:
        session_id, _, verb = rest.partition("/")
        self.asked[f"{method} {verb or ('one' if session_id else 'all')}"] += 1
        if not session_id and method == "GET":
            mine = [s for s in self.sessions.values() if s["workspace"] == str(who.workspace_id)]
            return web.json_response({"items": mine, "next": None})
        session = self.sessions.get(session_id)
        if session is None or session["workspace"] != str(who.workspace_id):
            raise NotFound("there is no such session in this workspace", code="session_not_found")
        return self._act(session, method, verb, body)

    def _create(self, workspace: str, key: str | None, body: bytes) -> web.Response:
        self.asked["POST all"] += 1
        known = self.keys.get((workspace, key)) if key else None
        if known is not None:
            return web.json_response(self.sessions[known], status=201, headers={"Idempotency-Replayed": "true"})
        made = self._made(workspace, CreateSession.model_validate_json(body or b"{}"))
        if key:
            self.keys[workspace, key] = made["id"]
        return web.json_response(made, status=201)

    def _act(self, session: dict[str, Any], method: str, verb: str, body: bytes) -> web.Response:
        if method == "DELETE":
            del self.sessions[session["id"]]
            return web.json_response(session, status=202)
        if method == "PATCH":
            session["options"] = UpdateSession.model_validate_json(body).options.model_dump()
        elif verb == "pair":
            session |= {"pairing_code": f"CODE-{PairSession.model_validate_json(body).phone[-4:]}", "state": "pairing"}
        elif verb == "qr":
            return web.json_response(qr_of(session))
        elif verb:
            session["state"] = {"start": "starting", "stop": "stopped", "restart": "starting", "logout": "qr"}[verb]
        return web.json_response(session)

    def _made(self, workspace: str, asked: CreateSession) -> dict[str, Any]:
        made = {
            "id": str(uuid7()), "workspace": workspace, "state": "qr", "cause": None,
            "since": datetime.now(UTC).isoformat(), "revision": 1, "phone": None, "name": None, "instance": "one",
            "restarts": 0, "memory_bytes": None, "heard_at": None, "options": asked.options.model_dump(),
            "created_at": datetime.now(UTC).isoformat(), "notice": "read this",
        }  # fmt: skip
        self.sessions[str(made["id"])] = made
        return made


def qr_of(session: dict[str, Any]) -> dict[str, Any]:
    """The code of a session."""
    now = datetime.now(UTC).isoformat()
    picture = f"data:image/png;base64,{b64encode(PICTURE).decode()}"
    return {
        "session_id": session["id"],
        "code": "2@abc",
        "revision": 3,
        "made_at": now,
        "expires_at": now,
        "image": picture,
    }
