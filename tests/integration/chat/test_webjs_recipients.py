"""Whom a WhatsApp Web session wrote to has a hidden id: they are known when they answer under it alone."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from blazz_chat import merging
from blazz_chat.people import Address
from blazz_contracts.message import Lane
from blazz_contracts.recipient import Recipient

from tests.support.polling import until

from .bridge_side import SENT, SILENT, BridgeSide, stored
from .conftest import Build, World


def told_to(phone: str, lid: str) -> Any:
    return lambda _: [("sent", {"recipient_phone": phone, "recipient_lid": lid})]


async def test_who_answers_under_a_hidden_id_alone_is_whom_we_wrote_to(bridge: BridgeSide) -> None:
    world, lid = bridge.world, str(uuid4().int % 10**14)
    bridge.script = told_to("31650000001", lid)
    sent = await world.until_status(await world.send("+31650000001", channel_id=bridge.session_id), "sent")
    answer = await stored(world, await bridge.bring(lid=lid))
    assert answer["contact_id"] == sent["contact_id"]
    assert answer["conversation_id"] == sent["conversation_id"]


async def test_whatsapps_own_form_of_a_number_is_learned(bridge: BridgeSide) -> None:
    world, lid = bridge.world, str(uuid4().int % 10**14)
    bridge.script = told_to("551187654321", lid)
    sent = await world.until_status(await world.send("+5511987654321", channel_id=bridge.session_id), "sent")
    for address in ({"lid": lid}, {"phone": "551187654321"}, {"phone": "551187654321", "lid": lid}):
        answer = await stored(world, await bridge.bring(**address))
        assert answer["contact_id"] == sent["contact_id"]


async def test_who_wrote_before_under_a_hidden_id_is_found_to_be_the_same(bridge: BridgeSide) -> None:
    world, lid = bridge.world, str(uuid4().int % 10**14)
    first = await stored(world, await bridge.bring(lid=lid))
    bridge.script = told_to("31650000002", lid)
    sent = await world.until_status(await world.send("+31650000002", channel_id=bridge.session_id), "sent")
    again = await stored(world, await bridge.bring(lid=lid))
    assert again["contact_id"] == first["contact_id"]
    assert (await world.message(UUID(sent["id"])))["contact_id"] == first["contact_id"]
    shown = (await world.api("GET", f"/contacts/{first['contact_id']}/messages")).json()["items"]
    assert len(shown) == 3


@pytest.mark.parametrize("known_here", [True, False])
async def test_a_request_that_meets_a_merge_goes_to_the_older(bridge: BridgeSide, known_here: bool) -> None:
    """Looked up as the younger of two who are one, stored once they are."""
    world, lid, phone = bridge.world, str(uuid4().int % 10**14), f"3165{uuid4().int % 10**7:07d}"
    older = await stored(world, await bridge.bring(lid=lid))
    younger = UUID((await world.api("POST", "/contacts", json={"phone": f"+{phone}"})).json()["id"])
    if known_here:
        await world.until_status(await world.send(f"+{phone}", channel_id=bridge.session_id), "sent")
    async with world.chat.database.worker() as connection:
        merged = await merging.merge(connection, [Address(world.workspace_id, phone, lid=lid)])
        assert [change.id for change in merged] == [younger]
        to = Recipient(contact_id=younger)
        sends = [
            await world.send(f"+{phone}", to=to, channel_id=bridge.session_id),
            await world.send(f"+{phone}", channel_id=bridge.session_id),
        ]
        brought = await bridge.bring(phone=phone)
        await until(lambda: _waiting(world, 2), what="the request and the customer's message wait for the merge")
    for message_id in sends:
        assert (await world.until_status(message_id, "sent"))["contact_id"] == older["contact_id"]
    received = await stored(world, brought)
    assert (received["contact_id"], received["conversation_id"]) == (older["contact_id"], older["conversation_id"])
    named = "select 1 from contacts where id = $1 and (phone is not null or lid is not null)"
    assert await world.rows(named, younger) == []


async def _waiting(world: World, number: int) -> bool:
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return len(await world.rows(waiting)) >= number


async def test_a_campaign_that_fills_the_window_does_not_keep_a_persons_answer(
    make_world: Build, make_bridge: Any
) -> None:
    world = await make_world(chat_session_window=5)
    bridge = await make_bridge(world)
    bridge.script = SILENT
    for n in range(10):
        await world.send(f"+3165100{n:04d}", channel_id=bridge.session_id, lane=Lane.CAMPAIGN)
    await until(lambda: len(bridge.asked) == 4, what="all of the window but a person's share")
    urgent = await world.send("+31651999999", channel_id=bridge.session_id)
    await until(lambda: len(bridge.asked) == 5)
    assert bridge.asked[-1].message_id == urgent
    bridge.script = SENT
    await bridge.tell(bridge.asked[-1], "sent")
    await world.until_status(urgent, "sent")
    assert len(bridge.asked) == 5


async def test_what_has_no_content_left_fails_and_keeps_nobody_waiting(bridge: BridgeSide) -> None:
    world = bridge.world
    await bridge.state("offline")
    message_id = await world.send("+31650000003", channel_id=bridge.session_id)
    await world.until_status(message_id, "pending")
    broken = {"type": "text", "body": ""}
    await world.rows("update messages set content = $2 where id = $1 returning 1", message_id, broken)
    await bridge.state("ready")
    assert (await world.until_status(message_id, "failed"))["failure"]["code"] == "invalid"
    await world.until_status(await world.send("+31650000003", channel_id=bridge.session_id), "sent")
