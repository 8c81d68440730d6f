"""Small HTTP questions: is it ready, what does it say."""

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
