"""Small HTTP questions: is it ready, what does it say."""

from urllib.parse import urlsplit

import aiohttp

from blazz_local.program import Check


def answers(url: str, *, timeout: float = 2.0) -> Check:
    """A check that is true when a GET gives 200."""

    async def check() -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
                session.get(url) as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    return check


def without_password(url: str) -> str:
    """The URL as it may be printed."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{parts.username}:***@{host}{port}").geturl()
