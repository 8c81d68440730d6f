"""A business account's templates, as Meta lists them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from blazz_chassis.errors import Conflict, Unavailable

from blazz_chat.providers.graph_answer import No, no_of

# Somebody waits for the answer, and so does the gateway in front of us (10 s). Seconds.
_PATIENCE = 8.0
_FIELDS = "id,name,language,category,status,components"
# Meta allows an account 6,000 templates in all languages together ("Template limits").
_PAGE, MOST = 200, 6000
# A page of templates as large as Meta allows them has about 2 MB.
_MOST_BYTES = 8 * 1024 * 1024
# One has at most about 10 KB: ten buttons with addresses of 2,000 characters are the largest part.
_MOST_OF_ONE = 32 * 1024
# Characters of a name, which is the longest of its words.
_MOST_OF_WORD = 512


@dataclass(frozen=True, slots=True)
class Listed:
    """What an account has."""

    templates: list[dict[str, Any]] = field(default_factory=list)
    """`id, name, language, category, status, components`, each of its type."""
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    """Name and language of those that are not kept; empty where they have none."""


class MetaTemplates:
    """Asks the Graph API."""

    def __init__(self, client: httpx.AsyncClient, *, graph_url: str, version: str) -> None:
        self._client = client
        self._base = f"{graph_url.rstrip('/')}/{version}"

    async def of(self, waba_id: str, access_token: str) -> Listed:
        """All templates of an account, at most `MOST`.

        Raises `Conflict` when Meta refuses the channel's token or account, `Unavailable` while it cannot be asked.
        """
        listed: list[dict[str, Any]] = []
        passed_over: list[tuple[str, str]] = []
        after: str | None = None
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    page = await self._page(waba_id, access_token, after)
                    for each in page.get("data") or []:
                        if _whole(each):
                            listed.append(each)
                        else:
                            passed_over.append(_named(each))
                    after = _next(page)
                    if after is None:
                        return Listed(listed, passed_over)
                    if len(listed) + len(passed_over) >= MOST:
                        raise Conflict(
                            f"this account has more than {MOST} templates",
                            code="too_many_templates",
                            field="channel_id",
                        )
        except (httpx.HTTPError, TimeoutError) as error:
            raise _away() from error

    async def _page(self, waba_id: str, access_token: str, after: str | None) -> dict[str, Any]:
        params = {"fields": _FIELDS, "limit": str(_PAGE)} | ({"after": after} if after else {})
        headers = {"Authorization": f"Bearer {access_token}"}
        url = f"{self._base}/{waba_id}/message_templates"
        body = bytearray()
        async with self._client.stream("GET", url, params=params, headers=headers) as answer:
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise _away()
        try:
            said = orjson.loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise _away()
        if answer.status_code != httpx.codes.OK or not isinstance(said.get("data"), list):
            raise _refused(answer.status_code, said.get("error"))
        return said


def _next(page: dict[str, Any]) -> str | None:
    """Where the next page begins. Meta gives its address, too: a token goes to no address that an answer names.

    Raises `Unavailable` when there is one and no word of where: what it has must not pass for gone.
    """
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not after:
        raise _away()
    return after


def _whole(template: Any) -> bool:
    if not isinstance(template, dict):
        return False
    words = [template.get(name) for name in ("id", "name", "language", "category", "status")]
    if not all(_word(word) for word in words):
        return False
    components = template.get("components")
    return (
        isinstance(components, list)
        and all(isinstance(each, dict) for each in components)
        and len(orjson.dumps(components)) <= _MOST_OF_ONE
    )


def _named(template: Any) -> tuple[str, str]:
    name, language = (template.get("name"), template.get("language")) if isinstance(template, dict) else ("", "")
    return (str(name), str(language)) if _word(name) and _word(language) else ("", "")


def _word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MOST_OF_WORD


def _away() -> Unavailable:
    return Unavailable(
        "WhatsApp does not answer which templates there are; try again", code="provider_unavailable", retry_after=5
    )


def _refused(status: int, error: Any) -> Conflict | Unavailable:
    no = no_of(status, error)
    if no is No.NOT_NOW:
        return _away()
    # In our own words: Meta's may repeat the token.
    if no is No.TOKEN:
        return Conflict(
            "WhatsApp does not take the channel's access token for this: it has expired, or lacks the permission "
            "whatsapp_business_management",
            code="access_token_refused",
            field="channel_id",
        )
    return Conflict(
        "WhatsApp knows no business account of this id that the channel's access token may use",
        code="waba_refused",
        field="channel_id",
    )
