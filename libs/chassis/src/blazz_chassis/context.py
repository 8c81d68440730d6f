"""Who asks, and which request it belongs to: the signed context of calls between services, the correlation id."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, Literal
from uuid import UUID

import jwt
import structlog
from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from blazz_chassis.errors import Unauthorized
from blazz_chassis.ids import uuid7

LIFETIME = 60  # seconds: long enough for one call and clocks that differ a little, too short to be worth stealing
_LEEWAY = 5  # seconds that two machines' clocks may differ
MAX_CORRELATION_ID = 128

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


class WorkspaceContext(BaseModel):
    """On whose behalf a call is made."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    workspace_id: UUID
    actor_id: UUID | None = None
    actor_kind: Literal["user", "token", "service"] = "service"
    role: str | None = None
    scopes: tuple[str, ...] = ()


def sign(context: WorkspaceContext, key: str | SecretStr, *, audience: str, issuer: str = "") -> str:
    """Return a JWT (HS256, 60 s) that carries the context to the service named `audience`."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "iat": now,
        "exp": now + LIFETIME,
        "ctx": context.model_dump(mode="json"),
    }
    return jwt.encode(claims, _plain(key), algorithm="HS256")


def verify(token: str, key: str | SecretStr, *, audience: str) -> WorkspaceContext:
    """Return the context of a token made by `sign` for this audience; raise `Unauthorized` when it is anything else."""
    try:
        claims = jwt.decode(
            token,
            _plain(key),
            algorithms=["HS256"],
            audience=audience,
            leeway=_LEEWAY,
            options={"require": ["exp", "iat", "aud"]},
        )
        return WorkspaceContext.model_validate(claims["ctx"])
    except (jwt.PyJWTError, KeyError, ValidationError) as error:
        raise Unauthorized(
            "the workspace context is missing, expired or not signed for this service", code="context_invalid"
        ) from error


def _plain(key: str | SecretStr) -> str:
    return key.get_secret_value() if isinstance(key, SecretStr) else key


async def _internal_context(request: Request) -> WorkspaceContext:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("send the workspace context as a bearer token", code="context_missing")
    return verify(token, request.app.state.context_key, audience=request.app.state.service_name)


internal_context = Depends(_internal_context)
InternalContext = Annotated[WorkspaceContext, internal_context]
"""Parameter of a route under `/internal/`: the verified context of the caller."""


def new_correlation_id() -> str:
    """Return a correlation id for work that began here."""
    return str(uuid7())


@contextmanager
def correlated(identifier: str | None, parent: str | None = None, **fields: object) -> Iterator[str]:
    """Run the block under this correlation id (a new one when none is given); logs carry it and `fields`."""
    value = identifier or correlation_id.get() or new_correlation_id()
    token = correlation_id.set(value)
    trace = traceparent.set(parent) if parent is not None else None
    with structlog.contextvars.bound_contextvars(correlation_id=value, **fields):
        try:
            yield value
        finally:
            correlation_id.reset(token)
            if trace is not None:
                traceparent.reset(trace)
