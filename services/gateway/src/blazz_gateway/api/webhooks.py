"""WhatsApp's webhooks."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse

from blazz_gateway.api.shortcut import TAKEN
from blazz_gateway.errors import VerifyTokenWrong
from blazz_gateway.webhooks.intake import Intake


def router(intake: Intake) -> APIRouter:
    """Routes under `/webhooks/whatsapp`."""
    routes = APIRouter(prefix="/webhooks/whatsapp", tags=["webhooks"])

    @routes.get("/{identifier}", response_class=PlainTextResponse, openapi_extra={"security": []})
    async def handshake(
        identifier: str,
        mode: Annotated[str, Query(alias="hub.mode")] = "",
        verify_token: Annotated[str, Query(alias="hub.verify_token")] = "",
        challenge: Annotated[str, Query(alias="hub.challenge", max_length=1024)] = "",
    ) -> PlainTextResponse:
        """Meta's handshake: the challenge is given back to who knows the verify token."""
        if mode != "subscribe":
            raise VerifyTokenWrong("hub.mode must be subscribe", field="hub.mode")
        await intake.handshake(identifier, verify_token)
        # The challenge is Meta's, but the address is open to all: text that no browser takes for a page.
        return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})

    @routes.post("/{identifier}", openapi_extra={"security": []})
    async def take(
        identifier: str, request: Request, signed: Annotated[str, Header(alias="X-Hub-Signature-256")] = ""
    ) -> Response:
        """Messages, statuses and news from Meta; 200 means that the broker has them."""
        await intake.take(identifier, await request.body(), signed)
        return Response(TAKEN, media_type="application/json")

    return routes
