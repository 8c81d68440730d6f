"""Guards against being made to call our own insides (SSRF): public addresses only, checked again on connecting."""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

from blazz_chassis.errors import Invalid, Unavailable

_RESOLVE_TIMEOUT = 5.0  # seconds
# What a name server says of a name that is not there, or has no address; all else (EAI_AGAIN, no answer in time, no
# socket to spare) is of the moment and says nothing of the name.
_NOT_THERE = {socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY}


class AddressRefused(Invalid):
    """A URL given by a customer does not lead to a public address over HTTP(S)."""

    code, title = "address_refused", "This address cannot be used"


class HostNotFound(AddressRefused):
    """The URL's host has no address: it is misspelt, or does not exist (any more)."""

    code, title = "host_not_found", "The host of this address cannot be found"


class HostNotResolved(Unavailable):
    """The URL's host cannot be looked up right now: DNS is out or slow. Nothing is known of the address."""

    code, title = "host_not_resolved", "The host of this address cannot be looked up right now; try again"


def is_public(address: str) -> bool:
    """Whether this IP address is one of the public internet's (also when wrapped in an IPv6 address)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None and not inner.is_global:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def check_outside(url: str, *, field: str | None = None, local_allowed: bool = False) -> None:
    """Raise `AddressRefused` unless `url` is http(s), without credentials, and every address of its host is public.

    Raises `HostNotFound` when the host has no address, and `HostNotResolved` when that cannot be asked right now.
    `local_allowed` lets addresses be private: for a developer's machine. Names may resolve otherwise later: connect
    with `outside_client`, which checks again.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise AddressRefused("the port is not a number from 1 to 65535", field=field) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused("give an http or https address with a host", field=field)
    if parts.username or parts.password:
        raise AddressRefused("leave user and password out of the address", field=field)
    found = await _resolved(parts.hostname, port or (443 if parts.scheme == "https" else 80), field)
    if not local_allowed and not all(is_public(address) for address in found):
        raise AddressRefused(f"{parts.hostname} is not a public address", field=field)


async def _resolved(host: str, port: int, field: str | None) -> list[str]:
    """All addresses of a host, at least one."""
    gone = f"the host {host} cannot be found"
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise HostNotFound(gone, field=field) from error
    except (OSError, TimeoutError) as error:
        if isinstance(error, socket.gaierror) and error.errno in _NOT_THERE:
            raise HostNotFound(gone, field=field) from error
        raise HostNotResolved(f"the host {host} cannot be looked up right now; try again") from error
    if not found:
        raise HostNotFound(gone, field=field)
    return [str(entry[4][0]) for entry in found]


class _PublicOnly(AbstractResolver):
    """Resolves names, and leaves out what is not public: a name that changed since the check gets nowhere."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = [entry for entry in await self._inner.resolve(host, port, family) if is_public(entry["host"])]
        if not found:
            raise OSError(f"{host} has no public address")
        return found

    async def close(self) -> None:
        await self._inner.close()


def outside_client(*, timeout: float = 15.0, connections: int = 100, local_allowed: bool = False) -> httpx.AsyncClient:
    """Return a client that connects to public addresses only. Check literal addresses with `check_outside` first."""

    def session() -> aiohttp.ClientSession:
        resolver = None if local_allowed else _PublicOnly()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, resolver=resolver),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(client=session), timeout=timeout, follow_redirects=False, trust_env=False
    )
