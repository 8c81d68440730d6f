"""HTTP to others: httpx with the aiohttp transport (a tenth of httpx's own cost, measured), bounded, traced."""

from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from blazz_chassis import context
from blazz_chassis.context import WorkspaceContext

MAX_CONNECTIONS = 100


async def _add_context(request: httpx.Request) -> None:
    if correlation := context.correlation_id.get():
        request.headers.setdefault("x-request-id", correlation)
    if (parent := context.traceparent.get()) is not None:
        request.headers.setdefault("traceparent", parent)


def client(
    *,
    base_url: str = "",
    timeout: float = 10.0,
    connections: int = MAX_CONNECTIONS,
    propagate: bool = False,
    **more: Any,
) -> httpx.AsyncClient:
    """Return a client; close it with `aclose`. `timeout` in seconds, for each phase of a request.

    `propagate` sends correlation and trace headers; leave it off towards the outside. Redirects are not followed.
    """
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=timeout,
        transport=AiohttpTransport(limits=limits, trust_env=False),
        event_hooks={"request": [_add_context]} if propagate else {},
        follow_redirects=False,
        trust_env=False,
        **more,
    )


def never_left(error: httpx.HTTPError) -> bool:
    """Tell whether a request failed before a byte of it had left: only then was surely nothing done.

    httpx-aiohttp names a connection that broke after the request `ConnectTimeout` too: what aiohttp said decides.
    """
    cause = error.__cause__
    if cause is not None:
        return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)
    return isinstance(error, httpx.PoolTimeout | httpx.UnsupportedProtocol)


class InternalClient:
    """Calls another service's `/internal/` routes on behalf of a workspace."""

    def __init__(
        self, base_url: str, key: str | SecretStr, *, audience: str, issuer: str, timeout: float = 2.0
    ) -> None:
        """`audience` is the service called, `issuer` the one that calls; `timeout` in seconds."""
        self._key, self._audience, self._issuer = key, audience, issuer
        self.http = client(base_url=base_url, timeout=timeout, propagate=True)

    async def request(self, method: str, path: str, on_behalf_of: WorkspaceContext, **more: Any) -> httpx.Response:
        """Make one request with a freshly signed context. Raises httpx's errors when there is no answer."""
        return await self.http.request(method, path, headers=self._signed(on_behalf_of, more), **more)

    async def open(self, method: str, path: str, on_behalf_of: WorkspaceContext, **more: Any) -> httpx.Response:
        """The same, with the answer's body still to come: read it or close it. The time limit is for each piece."""
        request = self.http.build_request(method, path, headers=self._signed(on_behalf_of, more), **more)
        return await self.http.send(request, stream=True)

    def _signed(self, on_behalf_of: WorkspaceContext, more: dict[str, Any]) -> dict[str, str]:
        token = context.sign(on_behalf_of, self._key, audience=self._audience, issuer=self._issuer)
        return {**more.pop("headers", {}), "authorization": f"Bearer {token}"}

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()


def internal_client(
    base_url: str, key: str | SecretStr, *, audience: str, issuer: str, timeout: float = 2.0
) -> InternalClient:
    """Return a client for another service's internal routes."""
    return InternalClient(base_url, key, audience=audience, issuer=issuer, timeout=timeout)
