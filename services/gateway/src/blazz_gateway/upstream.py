"""The other services, called on behalf of whoever asks: bounded, and a clear 503 when one is away."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import orjson
from blazz_chassis import http_client
from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import BlazzError, FieldError, Unavailable
from pydantic import SecretStr

_PROBLEM = "application/problem+json"


class Upstream:
    """One other service."""

    def __init__(self, name: str, base_url: str, key: SecretStr, *, timeout: float) -> None:
        """`key` signs the workspace context; `timeout` in seconds, where a call says nothing else."""
        self.name = name
        self._client = http_client.internal_client(base_url, key, audience=name, issuer="gateway", timeout=timeout)

    async def call(
        self,
        method: str,
        path: str,
        on_behalf_of: WorkspaceContext,
        *,
        content: bytes | str | None = None,
        content_type: str = "application/json",
        params: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return its answer, whatever its status. Raises `Unavailable` when there is none.

        `params` is a query string, handed on as it is.
        """
        url = f"{path}?{params}" if params else path
        sent = dict(headers or {}) | ({"content-type": content_type} if content is not None else {})
        try:
            return await self._client.request(method, url, on_behalf_of, headers=sent, content=content)
        except (httpx.TransportError, OSError) as error:
            raise self._away() from error

    async def open(
        self,
        method: str,
        path: str,
        on_behalf_of: WorkspaceContext,
        *,
        headers: dict[str, str],
        content: AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        """Return its answer with the body still to come: read it or close it. Raises `Unavailable`.

        The time limit is for each piece, not for the whole of a large file.
        """
        try:
            return await self._client.open(method, path, on_behalf_of, headers=headers, content=content)
        except (httpx.TransportError, OSError) as error:
            raise self._away() from error

    def _away(self) -> Unavailable:
        return Unavailable(
            f"the {self.name} service does not answer; try again", code=f"{self.name.replace('-', '_')}_unavailable"
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def refusal(response: httpx.Response) -> BlazzError:
    """The error that another service's answer (4xx or 5xx, its body read already) tells of."""
    problem: dict[str, Any] = {}
    if response.headers.get("content-type", "").startswith(_PROBLEM):
        problem = orjson.loads(response.content)
    retry_after = response.headers.get("retry-after", "")
    if not problem or response.status_code >= 500:
        return Unavailable(
            problem.get("detail") if response.status_code == 503 else None,
            retry_after=float(retry_after) if retry_after.isdigit() else 2.0,
        )
    return BlazzError(
        problem.get("detail"),
        code=problem.get("code"),
        title=problem.get("title"),
        status=response.status_code,
        retry_after=float(retry_after) if retry_after.isdigit() else None,
        errors=[FieldError(each["field"], each["message"]) for each in problem.get("errors", [])],
    )


class Breaker:
    """Stops asking for a moment after several answers that did not come, so that nobody waits for what is down."""

    def __init__(self, *, after: int = 3, rest: float = 2.0) -> None:
        """`after` failures in a row, not asked again for `rest` seconds."""
        self._after, self._rest = after, rest
        self._failures = 0
        self._until = 0.0

    @property
    def closed(self) -> bool:
        """Whether to ask."""
        return time.monotonic() >= self._until

    def succeeded(self) -> None:
        """There was an answer."""
        self._failures = 0

    def failed(self) -> None:
        """There was none."""
        self._failures += 1
        if self._failures >= self._after:
            self._until = time.monotonic() + self._rest
