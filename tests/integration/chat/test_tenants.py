"""No workspace sees or uses what belongs to another, through the API, through the queues, or in SQL."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from blazz_contracts.content import Image, Reaction
from blazz_contracts.recipient import Recipient

from .conftest import Build, World
from .test_media import upload

TABLES = (
    "attempts", "changes", "channels", "contacts", "conversations", "feed_heads", "media", "media_uploads", "messages",
    "provider_notices", "stray_statuses", "templates", "workspaces",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
async def test_the_api_role_sees_its_own_workspace_only(world: World, table: str) -> None:
    await world.until_status(await world.send("+31680000001"), "sent")
    connection = await asyncpg.connect(world.house.database.api_url)
    try:
        assert await connection.fetchval(f"select count(*) from {table}") == 0, "without a workspace"
        async with connection.transaction():
            await connection.execute("select set_config('app.workspace_id', $1, true)", str(world.workspace_id))
            owners = await connection.fetch(f"select distinct workspace_id from {table}")
        assert {row["workspace_id"] for row in owners} <= {world.workspace_id}
    finally:
        await connection.close()


async def test_the_search_function_finds_nothing_of_another_workspace(make_channel: Build) -> None:
    mine, theirs = await make_channel(), await make_channel()
    await theirs.api("POST", "/contacts", json={"phone": "+31680000002", "name": "Grace Hopper"})
    connection = await asyncpg.connect(mine.house.database.api_url)
    search = "select * from search_contacts($1, 'grace', null, 10)"
    try:
        async with connection.transaction():
            await connection.execute("select set_config('app.workspace_id', $1, true)", str(mine.workspace_id))
            assert await connection.fetch(search, theirs.workspace_id) == []
        async with connection.transaction():
            await connection.execute("select set_config('app.workspace_id', $1, true)", str(theirs.workspace_id))
            assert len(await connection.fetch(search, theirs.workspace_id)) == 1
    finally:
        await connection.close()


async def test_what_is_named_by_a_foreign_id_is_not_found(make_channel: Build) -> None:
    mine, theirs = await make_channel(), await make_channel()
    message_id = await theirs.send("+31680000003")
    contact_id = (await theirs.until_status(message_id, "sent"))["contact_id"]
    media_id = await upload(theirs)
    for path in (
        f"/messages/{message_id}", f"/contacts/{contact_id}", f"/contacts/{contact_id}/messages",
        f"/channels/{theirs.channel_id}", f"/media/{media_id}", f"/media/{media_id}/content",
    ):  # fmt: skip
        assert (await mine.api("GET", path)).status_code == 404, path
    text: dict[str, Any] = {"to": {"phone": "+31680000004"}, "content": {"type": "text", "body": "hi"}}
    for asked in (
        text | {"to": {"contact_id": contact_id}},
        text | {"channel_id": str(theirs.channel_id)},
        text | {"reply_to": str(message_id)},
        text | {"content": {"type": "image", "media_id": str(media_id)}},
        text | {"content": {"type": "reaction", "message_id": str(message_id), "emoji": "x"}},
    ):
        assert (await mine.api("POST", "/messages/check", json=asked)).status_code == 404, asked
    assert (await mine.api("PATCH", f"/channels/{theirs.channel_id}", json={"name": "mine"})).status_code == 404
    assert (await mine.api("DELETE", f"/channels/{theirs.channel_id}")).status_code == 404
    assert (await mine.api("GET", "/changes")).json()["changes"] == []


async def test_a_request_that_names_a_foreign_id_is_refused_even_unchecked(make_channel: Build) -> None:
    mine, theirs = await make_channel(), await make_channel()
    message_id = await theirs.send("+31680000005")
    sent = await theirs.until_status(message_id, "sent")
    media_id = await upload(theirs)
    to = Recipient(contact_id=UUID(sent["contact_id"]))
    for refused, code in (
        (await mine.send("+31680000006", to=to), "contact_not_found"),
        (await mine.send("+31680000006", channel_id=theirs.channel_id), "channel_not_found"),
        (await mine.send("+31680000006", content=Image(media_id=media_id)), "media_not_found"),
        (await mine.send("+31680000006", content=Reaction(message_id=message_id, emoji="x")), "target_not_found"),
    ):
        assert (await mine.until_status(refused, "failed"))["failure"]["code"] == code
    answer = await mine.send("+31680000006", reply_to=message_id)
    await mine.until_status(answer, "sent")
    (entry,) = await mine.sent_of(answer)
    assert sent["provider_message_id"] not in str(entry)
    assert len(await theirs.ledger()) == 1
