"""The RabbitMQ management API, as far as setting up a stack and its tests need it."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

import aiohttp

from blazz_local.address import without_login


class Management:
    """A session with the management API; `url` carries the user and password of an administrator."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = f"{without_login(url).rstrip('/')}/api"
        login = aiohttp.encode_basic_auth(unquote(parts.username or "guest"), unquote(parts.password or "guest"))
        self._session = aiohttp.ClientSession(headers={"Authorization": login}, timeout=aiohttp.ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The parsed answer to a request, None for an empty one. Raises `aiohttp.ClientResponseError` on 4xx, 5xx."""
        async with self._session.request(method, f"{self._base}/{path}", json=body) as response:
            response.raise_for_status()
            return await response.json() if response.content_type == "application/json" else None

    async def create_vhost(self, name: str, *, user: str) -> None:
        """A virtual host in which `user` may do everything."""
        await self.call("PUT", f"vhosts/{quote(name, safe='')}")
        await self.allow(user, vhost=name)

    async def delete_vhost(self, name: str) -> None:
        """The virtual host with all its queues; its connections are closed."""
        await self.call("DELETE", f"vhosts/{quote(name, safe='')}")

    async def put_user(self, name: str, password: str, *, tags: str = "") -> None:
        """Create the user or set its password."""
        await self.call("PUT", f"users/{quote(name, safe='')}", {"password": password, "tags": tags})

    async def allow(self, user: str, *, vhost: str, configure: str = ".*", write: str = ".*", read: str = ".*") -> None:
        """Give a user the right to what the three patterns match in a virtual host."""
        path = f"permissions/{quote(vhost, safe='')}/{quote(user, safe='')}"
        await self.call("PUT", path, {"configure": configure, "write": write, "read": read})

    async def import_definitions(self, definitions: Mapping[str, Any]) -> None:
        """Exchanges, queues, bindings, users, permissions and policies at once."""
        await self.call("POST", "definitions", definitions)
