"""What an account's templates are read from: pages of Meta's, whole or not."""

from typing import Any

import httpx
import orjson
import pytest
from blazz_chassis.errors import Unavailable
from blazz_chat.providers.meta_templates import Listed, MetaTemplates


def template(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "name": name, "language": "en", "category": "UTILITY", "status": "APPROVED",
        "components": [{"type": "BODY", "text": "Hello"}],
    } | more  # fmt: skip


async def listed(*pages: dict[str, Any]) -> Listed:
    """What is made of these answers, in turn."""
    answers = iter(pages)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=orjson.dumps(next(answers)))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        return await MetaTemplates(client, graph_url="https://graph.example", version="v23.0").of("1", "token")


async def test_pages_are_read_to_the_last() -> None:
    more = {"next": "https://graph.example/elsewhere", "cursors": {"after": "x"}}
    found = await listed({"data": [template("a")], "paging": more}, {"data": [template("b")], "paging": {}})
    assert [each["name"] for each in found.templates] == ["a", "b"]


@pytest.mark.parametrize("cursors", [None, {}, {"after": ""}, {"after": 7}, "x"])
async def test_a_next_page_that_cannot_be_asked_for_is_no_last_one(cursors: Any) -> None:
    """What it has would be deleted here as if Meta had it no more."""
    with pytest.raises(Unavailable) as raised:
        await listed({"data": [template("a")], "paging": {"next": "https://graph.example/x", "cursors": cursors}})
    assert raised.value.code == "provider_unavailable"


async def test_what_is_passed_over_is_named() -> None:
    large = [{"type": "BODY", "text": "x" * 40_000}]
    found = await listed({"data": [template("a"), template("b", components=large), {"id": "1"}, None]})
    assert [each["name"] for each in found.templates] == ["a"]
    assert found.passed_over == [("b", "en"), ("", ""), ("", "")]
