"""Files go out by link and by upload, and what customers send is fetched and kept."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from blazz_chassis import http_client
from blazz_chassis.errors import Unavailable
from blazz_chassis.seal import Sealer
from blazz_chat.channels import Channel, Channels
from blazz_chat.enclosures import Enclosures
from blazz_chat.media import Library, open_store
from blazz_chat.providers.cloud_api import CloudApi
from blazz_chat.providers.protocol import Outgoing
from blazz_contracts.content import Document, Image
from blazz_contracts.events import ProviderMessage

from tests.support.polling import until

from .conftest import Build, World

# The smallest PNG: one pixel.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645"
    "400000000049454e44ae426082"
)


async def upload(world: World) -> UUID:
    headers = {**world.headers(), "Content-Type": "image/png", "X-Filename": "one%20pixel.png"}
    answer = await world.http.post("/internal/media", content=PICTURE, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["sha256"] == sha256(PICTURE).hexdigest()
    return UUID(answer.json()["id"])


async def test_a_file_by_link_is_sent_as_a_link(world: World) -> None:
    link = "https://example.com/price-list.pdf"
    message_id = await world.send("+31650000001", content=Document(link=link, caption="Prices", filename="prices.pdf"))
    await world.until_status(message_id, "sent")
    (entry,) = await world.sent_of(message_id)
    assert entry["body"] == {"link": link, "caption": "Prices", "filename": "prices.pdf"}


async def test_an_upload_that_many_messages_show_is_handed_over_once(world: World) -> None:
    media_id = await upload(world)
    requests = [world.request(f"+3165001{n:04d}", content=Image(media_id=media_id), lane="campaign") for n in range(40)]
    await world.publisher.publish_many(requests)
    await until(lambda: sent(world, 40))
    assert len({entry["body"]["id"] for entry in await world.ledger()}) == 1


async def sent(world: World, number: int) -> bool:
    return len(await world.ledger()) == number


async def test_an_upload_that_whatsapp_does_not_take_holds_back_nobody_else(world: World) -> None:
    await world.faults(kind="server_error", path="media", phone_number_id=world.phone_number_id)
    message_id = await world.send("+31650000002", content=Image(media_id=await upload(world)))
    await until(lambda: world.rows("select 1 from messages where id = $1 and tries > 0", message_id))
    other = await world.send("+31650000003")
    await world.until_status(other, "sent")
    message = await world.until_status(message_id, "failed")
    assert message["failure"]["code"] in {"media_refused", "provider_131000", "provider_1", "provider_2"}
    assert len(message["attempts"]) == 4


async def test_an_upload_whose_file_is_gone_fails_its_message(world: World) -> None:
    media_id = uuid4()
    await world.rows(
        "insert into media (id, workspace_id, state, mime_type, size, sha256) values ($1, $2, 'ready', 'image/png', 1,"
        " '') returning 1",
        media_id,
        world.workspace_id,
    )
    message_id = await world.send("+31650000004", content=Image(media_id=media_id))
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "media_not_found"


def picture(world: World, wamid: str, provider_media_id: str) -> ProviderMessage:
    return ProviderMessage(
        workspace_id=world.workspace_id,
        channel_id=world.channel_id,
        provider_message_id=wamid,
        phone="31650000005",
        sent_at=datetime.now(UTC),
        type="image",
        content={"id": provider_media_id, "mime_type": "image/png", "caption": "look"},
    )


async def test_a_picture_from_a_customer_is_fetched_and_kept(world: World) -> None:
    answer = await world.simulator.post(
        f"/v23.0/{world.phone_number_id}/media",
        data={"messaging_product": "whatsapp", "type": "image/png"},
        files={"file": ("in.png", PICTURE, "image/png")},
        headers={"Authorization": "Bearer token"},
    )
    await world.publisher.publish(picture(world, "wamid.media1", answer.json()["id"]))
    (received,) = await until(lambda: world.told("message.received"))
    assert received["text"] == "look"
    path = f"/media/{received['content']['media_id']}/content"

    async def fetched() -> Any:
        found = await world.api("GET", path)
        return found if found.status_code == 200 else None

    kept = await until(fetched)
    assert kept.content == PICTURE
    assert kept.headers["content-disposition"].startswith("attachment")
    assert (await world.http.get(f"/internal{path}", headers=world.headers(uuid4()))).status_code == 404


async def test_a_file_that_cannot_be_fetched_does_not_hold_back_the_next(world: World) -> None:
    await world.publisher.publish(picture(world, "wamid.media2", "1"))
    await until(
        lambda: world.rows(
            "update media set tries = 9, next_attempt_at = now() where workspace_id = $1 and error is not null"
            " returning 1",
            world.workspace_id,
        )
    )
    (received,) = world.told("message.received")

    async def given_up() -> bool:
        answer = await world.api("GET", f"/media/{received['content']['media_id']}")
        return bool(answer.status_code == 404 and answer.json()["code"] == "media_lost")

    await until(given_up)


class SlowProvider:
    """Takes files, and keeps them under way until it is told to go on."""

    uploads = True

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.under_way = self.most = 0

    async def upload(self, channel: Channel, media: Any) -> str:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.go.wait()
        self.under_way -= 1
        return "4711"


async def channel_of(world: World) -> Channel:
    found = await Channels(Sealer(world.house.settings.seal_key)).one(world.chat.database, world.channel_id)
    assert found is not None
    return found


def with_file(media_id: UUID) -> Outgoing:
    return Outgoing(uuid4(), 1, {"type": "image", "media_id": str(media_id)}, "31650000006", None)


def library_of(world: World) -> Library:
    path = world.house.settings.chat_media_path
    return Library(lambda: open_store(path=path, url=None), world.chat.database)


async def test_many_large_uploads_at_once_are_read_a_few_at_a_time(make_channel: Build) -> None:
    busy, other = await make_channel(), await make_channel()
    provider: Any = SlowProvider()
    enclosures = Enclosures(busy.chat.database, library_of(busy), patience=10)
    channel = await channel_of(busy)
    waiting = [
        asyncio.create_task(enclosures.prepare(channel, with_file(await upload(busy)), provider)) for _ in range(20)
    ]
    await until(lambda: provider.under_way == 4)
    # Nobody else waits for them.
    theirs = asyncio.create_task(enclosures.prepare(await channel_of(other), with_file(await upload(other)), provider))
    await until(lambda: provider.under_way == 5)
    provider.go.set()
    for prepared in await asyncio.gather(*waiting, theirs):
        assert isinstance(prepared, Outgoing)
        assert prepared.provider_media_id == "4711"
    assert provider.most == 5


async def test_a_claim_does_not_wait_for_a_file_longer_than_it_is_good_for(world: World) -> None:
    provider: Any = SlowProvider()
    enclosures = Enclosures(world.chat.database, library_of(world), patience=0.5)
    channel, message = await channel_of(world), with_file(await upload(world))
    with pytest.raises(Unavailable):
        await enclosures.prepare(channel, message, provider)
    provider.go.set()

    async def there() -> Any:
        return await enclosures.prepare(channel, message, provider)

    assert (await until(there)).provider_media_id == "4711"
    assert provider.most == 1  # it went on while nobody waited


class Large:
    """A file of 100 MB that counts how far it has been read."""

    mime_type, filename = "application/pdf", "näme.pdf"
    part = b"x" * 250_000

    def __init__(self) -> None:
        self.parts_read = 0

    async def open(self) -> tuple[int, AsyncIterator[bytes]]:
        return 400 * len(self.part), self._parts()

    async def _parts(self) -> AsyncIterator[bytes]:
        for _ in range(400):
            self.parts_read += 1
            yield self.part


async def test_a_file_is_read_no_faster_than_whatsapp_takes_it(world: World) -> None:
    file, go, came = Large(), asyncio.Event(), asyncio.Event()
    taken: list[tuple[Any, ...]] = []

    async def take(request: web.Request) -> web.Response:
        came.set()
        await go.wait()
        async for part in await request.multipart():
            size = 0
            while chunk := await part.read_chunk(1 << 20):  # type: ignore[union-attr]
                size += len(chunk)
            taken.append((part.name, part.filename, part.headers.get("Content-Type"), size))  # type: ignore[union-attr]
        return web.json_response({"id": "4712"})

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/v23.0/{number}/media", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = http_client.client()
    graph = CloudApi(client, graph_url=f"http://127.0.0.1:{runner.addresses[0][1]}", version="v23.0", timeout=10)
    uploading = asyncio.create_task(graph.upload(await channel_of(world), file))
    await asyncio.wait_for(came.wait(), 10)
    before = -1

    async def still() -> bool:  # the buffers in between are full
        nonlocal before
        before, same = file.parts_read, file.parts_read == before
        return same

    await until(still, every=0.2)
    assert file.parts_read < 100
    go.set()
    assert await uploading == "4712"
    await client.aclose()
    await runner.cleanup()
    assert taken[-1] == ("file", "näme.pdf", "application/pdf", 400 * len(file.part))
    assert [(name, size) for name, _, _, size in taken[:-1]] == [("messaging_product", 8), ("type", 15)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Screenshot 2026-11-24 at 9.41%E2%80%AFAM.png", "Screenshot 2026-11-24 at 9.41_AM.png"),
        ("two%0D%0Alines.pdf", "two__lines.pdf"),
        ("..%2F..%2Fetc%2Fpasswd", ".._.._etc_passwd"),
        ("x" * 300 + ".pdf", "x" * 236 + ".pdf"),
    ],
)
async def test_a_name_that_not_every_system_takes_is_made_one_and_costs_no_file(
    world: World, given: str, kept: str
) -> None:
    headers = {**world.headers(), "Content-Type": "image/png", "X-Filename": given}
    made = await world.http.post("/internal/media", content=b"x", headers=headers)
    assert (made.status_code, made.json()["filename"]) == (201, kept)
