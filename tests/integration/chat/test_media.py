"""Files go out by link and by upload, and what customers send is fetched and kept."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from blazz_contracts.content import Document, Image
from blazz_contracts.events import ProviderMessage

from tests.support.polling import until

from .conftest import World

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
