"""Whose number is it? Meta says so to whoever shows an access token that may use it."""

import asyncio
from typing import Any

import httpx
import orjson
from blazz_chassis.errors import Invalid, Unavailable

from blazz_chat.providers.graph_answer import No, no_of

# Somebody waits for the answer, and so does the gateway in front of us (10 s). Seconds.
_PATIENCE = 5.0
_FIELDS = "id,display_phone_number,verified_name"
_MOST_DISPLAYED = 32


class Numbers:
    """Asks the Graph API who may use a number."""

    def __init__(self, client: httpx.AsyncClient, *, graph_url: str, version: str) -> None:
        self._client = client
        self._base = f"{graph_url.rstrip('/')}/{version}"

    async def check(self, phone_number_id: str, access_token: str) -> str | None:
        """Return how the number is displayed, when this token may use it.

        Raises `Invalid` naming what Meta refused; `Unavailable` while Meta cannot be asked.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._client.get(
                    f"{self._base}/{phone_number_id}",
                    params={"fields": _FIELDS},
                    headers={"Authorization": f"Bearer {access_token}"},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise _away() from error
        try:
            said = orjson.loads(answer.content)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise _away()
        if answer.status_code == httpx.codes.OK and said.get("id") == phone_number_id:
            displayed = said.get("display_phone_number")
            return displayed[:_MOST_DISPLAYED] if isinstance(displayed, str) else None
        raise _refused(answer.status_code, said.get("error"))


def _away() -> Unavailable:
    return Unavailable(
        "WhatsApp does not answer whether this number is yours; try again", code="provider_unavailable", retry_after=5
    )


def _refused(status: int, error: Any) -> Invalid | Unavailable:
    no = no_of(status, error)
    if no is No.NOT_NOW:
        return _away()
    # In our own words: Meta's may repeat the token.
    if no is No.TOKEN:
        return Invalid(
            "WhatsApp does not take this access token: it is wrong, has expired, or lacks a permission",
            code="access_token_refused",
            field="access_token",
        )
    return Invalid(
        "WhatsApp knows no number of this id that this access token may use",
        code="phone_number_refused",
        field="phone_number_id",
    )
