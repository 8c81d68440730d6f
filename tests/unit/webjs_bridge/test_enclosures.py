"""Files by link: what their host's name leads to decides whether it is worth another try."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from blazz_contracts.content import CONTENT
from blazz_contracts.events import SessionSend
from blazz_contracts.events.session_send import Person
from blazz_webjs_bridge.enclosures import Enclosures
from blazz_webjs_bridge.page.calls import Send
from blazz_webjs_bridge.refusals import Refusal, Refused


async def refused(link: str, folder: Path, *, public_hosts_only: bool = True) -> Refusal:
    """Why a picture at this link does not leave."""
    event = SessionSend(
        workspace_id=uuid4(),
        message_id=uuid4(),
        attempt=1,
        session_id=uuid4(),
        to=Person(phone="4915112345678"),
        content=CONTENT.validate_python({"type": "image", "link": link}),
        requested_at=datetime.now(UTC),
    )
    send = Send(type="image", chat="4915112345678@c.us", id="true_4915112345678@c.us_3EB0")
    chat: Any = None
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500))) as outside:
        enclosures = Enclosures(chat, outside, public_hosts_only=public_hosts_only, limit=5)
        with pytest.raises(Refused) as raised:
            async with enclosures.added(event, send, folder):
                pass
    assert os.listdir(folder) == []
    return raised.value.refusal


@pytest.mark.parametrize("public_hosts_only", [True, False])
@pytest.mark.parametrize(
    ("number", "code", "passing"),
    [(socket.EAI_AGAIN, "media_unreachable", True), (socket.EAI_NONAME, "media_host_not_found", False)],
    ids=["dns-is-out", "no-such-host"],
)
async def test_a_name_that_cannot_be_asked_for_is_passing_and_one_that_is_not_there_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, code: str, passing: bool, public_hosts_only: bool
) -> None:
    def asked(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, "as the resolver says it")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    told = await refused("https://files.example/x.png", tmp_path, public_hosts_only=public_hosts_only)
    assert (told.code, told.passing) == (code, passing)


async def test_an_inside_address_is_refused_for_good(tmp_path: Path) -> None:
    told = await refused("http://127.0.0.1:15672/secret.png", tmp_path)
    assert (told.code, told.passing) == ("media_address_refused", False)
