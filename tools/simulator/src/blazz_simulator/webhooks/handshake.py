"""Meta's check of a webhook address: a GET with a challenge that must come back."""

import secrets

import aiohttp

from ..accounts import Account


async def shake_hands(client: aiohttp.ClientSession, account: Account, url: str, verify_token: str) -> str | None:
    """Ask `url` for the challenge and note the outcome on the account; return None when it came back, else why not."""
    challenge = str(secrets.randbelow(10**9))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        async with client.get(url, params=query, allow_redirects=False) as answer:
            text = (await answer.content.read(1024)).decode(errors="replace").strip()
            if answer.status != 200:
                failure = f"{url} answered HTTP {answer.status}"
            elif text != challenge:
                failure = f"{url} did not answer with the challenge"
            else:
                failure = None
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        failure = f"{url} could not be reached: {type(error).__name__}"
    account.verified = failure is None
    return failure
