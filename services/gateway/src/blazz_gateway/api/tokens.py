"""API tokens."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from blazz_chassis.errors import Invalid
from blazz_contracts.event import Contract
from blazz_contracts.views.page import Page
from blazz_contracts.views.request import Request as Asked
from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from blazz_gateway import storable
from blazz_gateway.access import Access
from blazz_gateway.actor import Actor
from blazz_gateway.api.door import Door
from blazz_gateway.role import GRANTABLE, Permission
from blazz_gateway.token import ApiToken

DEFAULT_RATE = 60


class CreateToken(Asked):
    """A new token. It belongs to the workspace, not to who made it."""

    name: str = Field(min_length=1, max_length=200, examples=["shop backend"])
    scopes: list[Permission] | None = Field(
        default=None, min_length=1, max_length=50, description="None: all that a token may have."
    )
    rate_per_minute: int | None = Field(
        default=DEFAULT_RATE, gt=0, le=1_000_000, description="Messages in any 60 seconds; null: no limit."
    )
    expires_at: AwareDatetime | None = None


class TokenView(Contract):
    """A token, without its text."""

    id: UUID
    name: str
    prefix: str = Field(description="How it begins.")
    scopes: list[Permission]
    rate_per_minute: int | None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None = Field(description="To the minute.")


class NewToken(TokenView):
    """A token that was just made, with its text: nobody can show it again."""

    token: str


def router(door: Door, access: Access) -> APIRouter:
    """Routes under `/api/v1/tokens`."""
    routes = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])
    Admin = Annotated[Actor, door.allow(Permission.TOKENS_WRITE)]  # noqa: N806 - a type

    @routes.post("", status_code=201)
    async def create(actor: Admin, asked: CreateToken, response: Response) -> NewToken:
        """Make an API token; its text is shown this once."""
        storable.check(asked)
        if asked.expires_at is not None and asked.expires_at <= datetime.now(UTC):
            raise Invalid("is in the past", field="expires_at")
        made, text = await access.create_token(
            actor,
            name=asked.name,
            scopes=sorted(asked.scopes or GRANTABLE),
            rate_per_minute=asked.rate_per_minute,
            expires_at=asked.expires_at,
        )
        response.headers["Cache-Control"] = "no-store"
        return NewToken(**_view(made).model_dump(), token=text)

    @routes.get("")
    async def find(actor: Admin) -> Page[TokenView]:
        """The workspace's tokens, newest first, revoked ones too."""
        return Page[TokenView](items=[_view(each) for each in await access.tokens(actor)])

    @routes.delete("/{token_id}", status_code=204)
    async def revoke(actor: Admin, token_id: UUID) -> Response:
        """Revoke a token: it stops working within 2 seconds everywhere, and its websockets are closed."""
        await access.revoke_token(actor, token_id)
        return Response(status_code=204)

    return routes


def _view(token: ApiToken) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        prefix=token.prefix,
        scopes=sorted(token.scopes),
        rate_per_minute=token.rate_per_minute,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
    )
