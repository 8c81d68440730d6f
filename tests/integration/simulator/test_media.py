"""Media: uploaded, looked up, downloaded, deleted, and sent by customers."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from tests.support.polling import until

from .conftest import Receiver, Simulator

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


async def _get(simulator: Simulator, url: str, token: str | None = None) -> tuple[int, bytes, str]:
    headers = {"Authorization": f"Bearer {token or simulator.token}"}
    async with simulator.http.get(url, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers["Content-Type"]


async def test_an_upload_can_be_looked_up_downloaded_and_deleted(simulator: Simulator) -> None:
    status, upload = await simulator.upload(PNG, "image/png")
    assert status == 200
    _, known = await simulator.graph("GET", upload["id"])
    assert known["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (known["mime_type"], known["file_size"]) == ("image/png", len(PNG))
    assert await _get(simulator, known["url"]) == (200, PNG, "image/png")
    assert (await simulator.graph("DELETE", upload["id"]))[1] == {"success": True}
    assert (await _get(simulator, known["url"]))[0] == 404
    assert (await simulator.graph("GET", upload["id"]))[0] == 400


async def test_a_download_needs_the_owners_token(simulator: Simulator) -> None:
    _, upload = await simulator.upload(PNG, "image/png")
    _, known = await simulator.graph("GET", upload["id"])
    status, body, _ = await _get(simulator, known["url"], token="bad")
    assert status == 401
    assert PNG not in body


async def test_a_download_url_expires(make_simulator: Callable[..., Any]) -> None:
    simulator: Simulator = await make_simulator(media_url_seconds=1)
    _, upload = await simulator.upload(PNG, "image/png")
    _, known = await simulator.graph("GET", upload["id"])

    async def expired() -> bool:
        return (await _get(simulator, known["url"]))[0] == 404

    await until(expired)
    _, fresh = await simulator.graph("GET", upload["id"])
    assert (await _get(simulator, fresh["url"]))[0] == 200


@pytest.mark.parametrize(
    ("data", "mime_type", "code"),
    [
        (b"x", "application/x-msdownload", 100),
        (b"", "image/png", 131053),
        (b"x" * (5 * 1024 * 1024 + 1), "image/png", 131053),
        (b"x" * (500 * 1024 + 1), "image/webp", 131053),
    ],
)
async def test_a_wrong_type_or_size_is_refused_and_nothing_is_kept(
    simulator: Simulator, tmp_path: Any, data: bytes, mime_type: str, code: int
) -> None:
    status, answer = await simulator.upload(data, mime_type)
    assert (status, answer["error"]["code"]) == (400, code)
    assert list((tmp_path / "media").iterdir()) == []


async def test_an_upload_is_sent_by_its_id_only_as_what_it_is(simulator: Simulator) -> None:
    _, upload = await simulator.upload(PNG, "image/png")
    image = {"to": simulator.customer, "type": "image", "image": {"id": upload["id"]}}
    assert (await simulator.post(image))[0] == 200
    video = {"to": simulator.customer, "type": "video", "video": {"id": upload["id"]}}
    status, answer = await simulator.post(video)
    assert (status, answer["error"]["code"]) == (400, 131009)
    status, answer = await simulator.post({**image, "image": {"id": "123"}})
    assert (status, answer["error"]["code"]) == (400, 131009)


async def test_a_customers_picture_can_be_fetched_by_the_id_of_its_webhook(
    simulator: Simulator, receiver: Receiver
) -> None:
    status, _ = await simulator.control("POST", f"phones/{simulator.customer}/messages", {"type": "image"})
    assert status == 200
    image = (await until(receiver.messages))[0]["image"]
    _, known = await simulator.graph("GET", image["id"])
    status, body, kind = await _get(simulator, known["url"])
    assert (status, kind) == (200, "image/png")
    assert hashlib.sha256(body).hexdigest() == known["sha256"]


async def test_a_link_that_cannot_be_fetched_fails_the_message_when_that_rule_is_on(
    simulator: Simulator, receiver: Receiver
) -> None:
    await simulator.control("PUT", "rules", {"fetch_links": True})
    message = {"to": simulator.customer, "type": "image", "image": {"link": "http://127.0.0.1:1/a.png"}}
    _, answer = await simulator.post(message)
    failed = (await until(lambda: receiver.statuses(answer["messages"][0]["id"])))[0]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131053)


async def test_a_link_that_can_be_fetched_is_sent_when_that_rule_is_on(
    simulator: Simulator, receiver: Receiver
) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=PNG)

    app = web.Application()
    app.router.add_get("/a.png", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await simulator.control("PUT", "rules", {"fetch_links": True})
        link = f"http://127.0.0.1:{runner.addresses[0][1]}/a.png"
        _, answer = await simulator.post({"to": simulator.customer, "type": "image", "image": {"link": link}})
        await until(lambda: len(receiver.statuses(answer["messages"][0]["id"])) == 3)
    finally:
        await runner.cleanup()
