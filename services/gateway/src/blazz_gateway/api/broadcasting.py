"""Admission of websockets to private channels, as pusher-js and laravel-echo ask for it."""

from typing import Any

from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field

from blazz_gateway import socket
from blazz_gateway.access import Access
from blazz_gateway.api.body import form_or_json
from blazz_gateway.api.door import Door, read_as
from blazz_gateway.role import Permission
from blazz_gateway.socket import Signer


class Subscription(Asked):
    """Which socket wants to join which channel."""

    # pusher-js adds whatever params the page configured.
    model_config = ConfigDict(extra="ignore", frozen=True)

    socket_id: str = Field(max_length=64, examples=["1234.5678"])
    channel_name: str = Field(max_length=200, examples=["private-workspace.0198f3a0-0000-7000-8000-000000000001"])


def router(door: Door, access: Access, signer: Signer) -> APIRouter:
    """`POST /broadcasting/auth`."""
    routes = APIRouter(tags=["websocket"])

    @routes.post(
        "/broadcasting/auth",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    kind: {"schema": Subscription.model_json_schema()}
                    for kind in ("application/x-www-form-urlencoded", "application/json")
                },
            }
        },
    )
    async def admit(request: Request) -> dict[str, Any]:
        """Sign a subscription to a channel of one's own workspace."""
        # Who asks comes before what they ask for: nobody learns the shape of things from outside.
        await door.identify(request)
        asked = read_as(Subscription, await form_or_json(request))
        socket_id = socket.check_socket_id(asked.socket_id)
        actor = await door.enter(request, socket.workspace_of(asked.channel_name))
        actor.require(Permission.SOCKETS_JOIN)
        await access.admit_socket(actor, socket_id)
        data = socket.member_data(actor) if asked.channel_name.startswith("presence-") else None
        return signer.sign(socket_id, asked.channel_name, data)

    return routes
