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


def asked(kind: str, link: str) -> SessionSend:
    """A file at this link, to be sent as such a message."""
    return SessionSend(
        workspace_id=uuid4(),
        message_id=uuid4(),
        attempt=1,
        session_id=uuid4(),
        to=Person(phone="4915112345678"),
        content=CONTENT.validate_python({"type": kind, "link": link}),
        requested_at=datetime.now(UTC),
    )


async def refused(link: str, folder: Path, *, public_hosts_only: bool = True) -> Refusal:
    """Why a picture at this link does not leave."""
    event = asked("image", link)
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
    def looked_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, "as the resolver says it")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    told = await refused("https://files.example/x.png", tmp_path, public_hosts_only=public_hosts_only)
    assert (told.code, told.passing) == (code, passing)


async def test_an_inside_address_is_refused_for_good(tmp_path: Path) -> None:
    told = await refused("http://127.0.0.1:15672/secret.png", tmp_path)
    assert (told.code, told.passing) == ("media_address_refused", False)


@pytest.mark.parametrize(
    ("kind", "told", "name", "sent_as"),
    [
        ("image", "image/png", "a", "image/png"),
        ("image", "text/html; charset=utf-8", "a.png", None),
        ("image", "binary/octet-stream", "a.jpg", "image/jpeg"),
        ("image", "", "a", None),
        ("video", "image/png", "a.mp4", None),
        ("audio", "audio/ogg; codecs=opus", "a", "audio/ogg"),
        ("sticker", "image/png", "a.webp", None),
        ("sticker", "image/webp", "a", "image/webp"),
        ("document", "text/html", "a", "text/html"),
    ],
)
async def test_a_file_leaves_as_what_it_is_or_not_at_all(
    tmp_path: Path, kind: str, told: str, name: str, sent_as: str | None
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x", headers={"content-type": told} if told else {})

    event = asked(kind, f"http://127.0.0.1/{name}")
    send = Send(type=kind, chat="4915112345678@c.us", id="true_4915112345678@c.us_3EB0")
    chat: Any = None
    left_as, why = None, None
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as outside:
        enclosures = Enclosures(chat, outside, public_hosts_only=False, limit=5)
        try:
            async with enclosures.added(event, send, tmp_path) as call:
                left_as = call.mime_type
        except Refused as raised:
            why = raised.refusal.code
    assert (left_as, why) == (sent_as, None if sent_as else "media_type_mismatch")
